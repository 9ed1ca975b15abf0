// Runs one function of a project's file with prepared inputs, or a file of tests, and writes down what it did.
//
// Conclave starts this in its sandbox, on a scratch copy. It judges nothing: it reports what was seen, and Conclave
// decides outside. Its one argument is the path of a description in JSON, which it removes before any of the project's
// code runs. Each line that it writes begins with the description's nonce: what the code prints is not taken for a report.

import childProcess from 'node:child_process';
import fs from 'node:fs';
import Module, { createRequire, syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { run } from 'node:test';
import { pathToFileURL } from 'node:url';

const LONGEST = 4000;
const FOLDER = '/tmp/conclave-proof';
const FILE = `${FOLDER}/pear.txt`;
const MARKER = `${FOLDER}/marker`;
const TARGET = '__conclave_target';
const require = createRequire(import.meta.url);
const { writeSync, existsSync, readdirSync, statSync } = fs;
const { stringify } = JSON;

/** Why nothing can be seen here, in words. */
class Unavailable extends Error {}

const given = { value: '' };
let facts = fresh();
let children = [];

function fresh() {
  return { rows: 0, html: [], statements: [], calls: [], runs: [], missing: [], told: [], shown: [], printed: '' };
}

/** A value as text that two runs can be compared by. */
function plain(value, depth = 6) {
  if (depth === 0) return '...';
  const inner = (item) => plain(item, depth - 1);
  let text;
  if (value?.[STANDS_FOR]) text = value[STANDS_FOR];
  else if (typeof value === 'string' || value instanceof String) text = stringify(String(value));
  else if (value instanceof Error) text = value.constructor.name;
  else if (Array.isArray(value)) text = `[${value.map(inner).join(', ')}]`;
  else if (value instanceof Uint8Array) text = stringify(Buffer.from(value).toString('latin1'));
  else if (value instanceof Map || value instanceof Set) text = inner([...value]);
  else if (typeof value === 'function') text = 'function';
  else if (value && typeof value === 'object') {
    const isPlain = [Object.prototype, null].includes(Object.getPrototypeOf(value));
    const items = Object.entries(value).map(([key, item]) => `${key}: ${inner(item)}`);
    text = isPlain ? `{${items.join(', ')}}` : (value.constructor?.name ?? 'object');
  } else text = String(value);
  return text.slice(0, LONGEST);
}

const STANDS_FOR = Symbol('stands for');

/** An object that has every property and can be called; `on` hears what is called and set. */
function standIn(name, on = {}) {
  const self = new Proxy(function () {}, {
    get(_, key) {
      if (key === STANDS_FOR) return name;
      if (key in on) return on[key];
      if (key === 'then' || key === Symbol.iterator || key === Symbol.asyncIterator) return undefined;
      if (key === Symbol.toPrimitive) return () => name;
      // A function of its own, since it may be called with `new`.
      return function (...values) {
        on.called?.(String(key), values);
        return self;
      };
    },
    set(_, key, value) {
      on.assigned?.(String(key), value);
      return true;
    },
    apply: () => self,
    construct: () => self,
  });
  return self;
}

/** As much of a page's element as shows what is written into it. */
function element() {
  const html = (markup) => {
    facts.html.push(String(markup));
    facts.shown.push(`text ${String(markup).replace(/<[^>]*>/g, '')}`);
  };
  return standIn('element', {
    style: {},
    dataset: {},
    classList: standIn('classes'),
    value: given.value,
    assigned(key, value) {
      if (key === 'innerHTML' || key === 'outerHTML' || key === 'srcdoc') html(value);
      else if (key === 'textContent' || key === 'innerText') facts.shown.push(`text ${value}`);
      else facts.shown.push(`${key} ${plain(value)}`);
    },
    called(key, values) {
      if (key === 'insertAdjacentHTML') html(values[1]);
      else facts.shown.push(`${key} ${plain(values)}`);
    },
    getAttribute: () => given.value,
  });
}

/** A database client that answers every statement with no rows. */
function database() {
  return standIn('database', {
    called(_, values) {
      const statement = values[0]?.text ?? values[0]?.sql ?? values[0];
      if (typeof statement === 'string') facts.statements.push(statement);
      const done = values.findLast((value) => typeof value === 'function');
      if (done) queueMicrotask(() => done(null, [], []));
    },
  });
}

function response() {
  const called = (key, values) => {
    facts.told.push(`${key} ${plain(values)}`);
    if (['send', 'write', 'end'].includes(key)) facts.html.push(...values.filter((value) => typeof value === 'string'));
  };
  return standIn('response', { called });
}

/** An object that holds the value under every name. */
function holder() {
  return new Proxy({}, { get: (_, key) => (key === 'then' || typeof key === 'symbol' ? undefined : given.value) });
}

/** What a parameter gets, by its name and by what the function reads of it. */
function argument(name, source, tainted) {
  const plainName = name.replace(/^_+/, '');
  if (/^(el|elem|element|node|container|target|line|label|div|span)$|Element$/.test(plainName)) return element();
  if (/^(db|database|conn|connection|pool|client|knex)$/i.test(plainName)) return database();
  if (/^(res|response|reply)$/.test(plainName)) return response();
  if (/^(req|request)$/.test(plainName)) {
    const parts = { query: holder(), params: holder(), body: holder(), cookies: holder(), headers: holder() };
    return { ...parts, method: 'GET', url: '/', get: () => given.value };
  }
  if (/^(cb|done|next|callback|resolve|reject)$/i.test(plainName)) {
    return (...values) => void facts.told.push(plain(values));
  }
  if (!tainted) return /(count|quantity|limit|size|number|port|timeout|now|id)$/i.test(name) ? 1 : 'other';
  const read = [...source.matchAll(new RegExp(`\\b${name}\\.(\\w+)`, 'g'))].map((found) => found[1]);
  const isObject = read.some((key) => !(key in String.prototype));
  return isObject ? holder() : given.value;
}

/** What the parameters of a function with this source get, in order. */
function values(source, reach) {
  const list = /^(?:async\s+)?(?:function\s*\*?\s*)?[\w$]*\s*(?:\(([^)]*)\)|([\w$]+)\s*=>)/.exec(source.trim());
  const texts = (list?.[1] ?? list?.[2] ?? '').match(/\{[^}]*\}|[^,{}]+/g) ?? [];
  return texts.map((text) => text.trim()).filter(Boolean).map((text) => {
    const names = text.match(/[\w$]+/g) ?? [];
    return text.startsWith('{') ? holder() : argument(names[0] ?? '', source, reach.includes(names[0]));
  });
}

function words(argv) {
  const isShell = /(^|\/)(ba|da)?sh$/.test(argv[0]) && argv[1] === '-c';
  if (!isShell) return argv.map(String);
  const found = String(argv[2]).match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  return found.map((word) => word.replace(/^(['"])(.*)\1$/, '$2'));
}

/** Lets programs run, and writes down which. */
function watchProcesses() {
  const note = (argv) => {
    const found = words(argv);
    facts.runs.push(found);
    const folders = found[0]?.includes('/') ? [''] : (process.env.PATH ?? '').split(':');
    if (!folders.some((folder) => existsSync(path.join(folder, found[0] ?? '')))) facts.missing.push(found[0]);
  };
  const { ChildProcess } = childProcess;
  const { spawn } = ChildProcess.prototype;
  ChildProcess.prototype.spawn = function (options) {
    note(options.args ?? [options.file]);
    children.push({ child: this, ended: new Promise((ended) => this.once('close', ended).once('error', ended)) });
    return spawn.call(this, options);
  };
  const { execSync, execFileSync, spawnSync } = childProcess;
  childProcess.execSync = (command, options) => (note(['sh', '-c', command]), execSync(command, options));
  childProcess.execFileSync = (file, ...rest) => (note(argvOf(file, rest)), execFileSync(file, ...rest));
  childProcess.spawnSync = (file, ...rest) => (note(argvOf(file, rest)), spawnSync(file, ...rest));
}

function argvOf(file, rest) {
  const list = Array.isArray(rest[0]) ? rest[0] : [];
  const options = rest.find((value) => value && typeof value === 'object' && !Array.isArray(value));
  return options?.shell ? ['sh', '-c', [file, ...list].join(' ')] : [file, ...list];
}

/** Writes down each call of the named functions; it is made only where its real answer is wanted. */
function watchCalls(watches) {
  for (const { name, answer } of watches) {
    const at = name.lastIndexOf('.');
    let library;
    try {
      library = require(name.slice(0, at));
    } catch {
      continue;
    }
    const key = name.slice(at + 1);
    const real = library[key];
    if (typeof real !== 'function') continue;
    const note = (values) => {
      const texts = {};
      for (const [place, value] of values.entries()) {
        const options = value && typeof value === 'object' && !Array.isArray(value) ? Object.entries(value) : null;
        // An object of options counts by its options, so that one of them can be left out of a comparison.
        for (const [option, setting] of options ?? [[place, value]]) texts[option] = plain(setting);
      }
      facts.calls.push({ name, arguments: texts });
    };
    library[key] = new Proxy(real, {
      apply: (target, self, values) => (note(values), answer === 'real' ? Reflect.apply(target, self, values) : standIn(name)),
      construct: (target, values) => (note(values), answer === 'real' ? Reflect.construct(target, values) : standIn(name)),
    });
  }
}

const DATABASES = ['pg', 'mysql', 'mysql2', 'mysql2/promise', 'sqlite3', 'better-sqlite3'];

/** Clients of databases that are not installed here; every other library that is missing stays missing. */
function standInForDatabases() {
  const load = Module._load;
  Module._load = (name, ...rest) => {
    try {
      return load(name, ...rest);
    } catch (error) {
      if (error.code === 'MODULE_NOT_FOUND' && DATABASES.includes(name)) return database();
      throw error;
    }
  };
}

/** What a page has and Node lacks. */
function standInForPage() {
  const page = { body: element(), head: element(), cookie: '' };
  for (const find of ['getElementById', 'querySelector', 'createElement']) page[find] = element;
  page.querySelectorAll = () => [element()];
  page.addEventListener = () => undefined;
  page.write = page.writeln = (markup) => void facts.html.push(String(markup));
  globalThis.document = page;
  globalThis.window ??= globalThis;
  globalThis.location = { get hash() { return given.value; }, get search() { return given.value; }, get href() { return given.value; } };
}

/** `Math.random` from a state that is known. */
function seed() {
  let state = 12345;
  Math.random = () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
}

/** The function of the finding out of a copy of its file that also hands it over; undefined for the file's own lines. */
async function load(file, target) {
  const { dir, name, ext } = path.parse(path.resolve(file));
  const copy = path.join(dir, `${name}.conclave-proof${ext}`);
  const top = target.class ?? target.function;
  const hands = top === null ? '' : `\n;globalThis.${TARGET} = typeof ${top} === 'undefined' ? undefined : ${top};\n`;
  fs.writeFileSync(copy, fs.readFileSync(file, 'utf8') + hands);
  try {
    await import(pathToFileURL(copy).href);
  } catch (error) {
    throw new Unavailable(`the file cannot be loaded: ${String(error).split('\n')[0].replaceAll('.conclave-proof', '')}`);
  }
  if (top === null) return undefined;
  const found = globalThis[TARGET];
  if (target.class !== null) {
    const owner = found?.prototype?.[target.function] ? Object.create(found.prototype) : found;
    const method = owner?.[target.function];
    if (typeof method !== 'function') throw new Unavailable(`the file has no method \`${target.function}\` when it is loaded`);
    return Object.assign(method.bind(owner), { source: method.toString() });
  }
  if (typeof found !== 'function') throw new Unavailable(`the file has no function \`${top}\` when it is loaded`);
  return Object.assign((...values) => found(...values), { source: found.toString() });
}

const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));

/** Waits for the programs that were started; one that waits for input is told that there is none. */
async function allEnded() {
  const ended = Promise.all(children.map((one) => one.ended));
  await Promise.race([ended, pause(200)]);
  for (const { child } of children) child.stdin?.end();
  await Promise.race([ended, pause(3000)]);
  await pause(0);
}

/** Calls the function once with `input`. */
async function observe(target, reach, input) {
  facts = fresh();
  children = [];
  fs.rmSync(FOLDER, { recursive: true, force: true });
  fs.mkdirSync(FOLDER, { recursive: true });
  fs.writeFileSync(FILE, 'a pear\n');
  fs.utimesSync(FILE, 1e9, 1e9);
  given.value = input.replaceAll('{file}', FILE).replaceAll('{marker}', MARKER);
  standInForPage();
  seed();
  let result;
  Object.assign(facts, { raised: null, message: '' });
  const fail = (error) => Object.assign(facts, { raised: error?.constructor?.name ?? 'Error', message: String(error).slice(0, 300) });
  process.removeAllListeners('uncaughtException').on('uncaughtException', fail);
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', fail);
  try {
    if (target) {
      result = target(...values(target.source, reach));
      if (result instanceof Promise) result = await Promise.race([result, pause(5000).then(() => 'pending')]);
    }
  } catch (error) {
    fail(error);
  }
  await allEnded();
  Object.assign(facts, { returned: plain(result), kind: Array.isArray(result) ? 'array' : typeof result });
  const files = readdirSync(FOLDER).filter((name) => name !== path.basename(MARKER)).sort();
  Object.assign(facts, { marker: existsSync(MARKER), files: files.map((name) => `${name} ${statSync(`${FOLDER}/${name}`).size}`) });
  return facts;
}

async function runFunction(task, report) {
  watchProcesses();
  watchCalls(task.watch);
  standInForDatabases();
  syncBuiltinESMExports();
  for (const name of ['log', 'info', 'warn', 'error', 'debug']) {
    console[name] = (...values) => void (facts.printed = `${facts.printed}${plain(values)}\n`.slice(0, LONGEST));
  }
  given.value = task.known;
  standInForPage();
  seed();
  const target = await load(task.file, task.target);
  const loaded = facts;
  report({ loaded: true });
  for (const { name, value } of task.inputs) {
    const made = { ...(await observe(target, task.reach, value)) };
    if (!target) for (const key of ['calls', 'runs', 'missing', 'statements', 'html', 'shown']) made[key] = loaded[key];
    if (task.twice) made.again = (await observe(target, task.reach, value)).returned;
    report({ input: name, facts: made });
  }
}

async function runTests(task, report) {
  report({ loaded: true });
  const stream = run({ files: [path.resolve(task.file)], concurrency: 1 });
  const tell = (outcome) => (test) => {
    // The file itself is reported as one more test around its own.
    if (test.name === path.resolve(task.file) || test.name === task.file) return;
    const error = test.details?.error;
    const isAssertion = error?.cause?.code === 'ERR_ASSERTION' || error?.code === 'ERR_ASSERTION';
    const why = String(error?.cause?.message ?? error?.message ?? '').slice(0, 300);
    report({ test: test.name, outcome: outcome === 'failed' && !isAssertion ? 'broken' : test.skip || test.todo ? 'skipped' : outcome, why });
  };
  await new Promise((ended) => stream.on('test:pass', tell('passed')).on('test:fail', tell('failed')).on('end', ended).resume());
}

const task = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
fs.unlinkSync(process.argv[2]);
process.argv.length = 1;
const { nonce } = task;
delete task.nonce;
const report = (line) => void writeSync(1, `${nonce}${stringify(line)}\n`);
try {
  await (task.tests ? runTests : runFunction)(task, report);
} catch (error) {
  report({ unavailable: error instanceof Unavailable ? error.message : `the proof broke: ${error}` });
}
report({ end: true });
process.exit(0);
