import { expect, test } from "vitest";
import { fieldOf } from "./faults";

const FIELDS = ["name", "base_url", "model", "key_env", "headers", "max_concurrent", "command", "file"];

test.each([
  ["there is a model `a` already; give this one another name", "name"],
  ["a model’s name is one line of 1 to 100 characters", "name"],
  ["`person` is the name of something else; give the model another one", "name"],
  ["`a` cannot be reached at this address: it has no host", "base_url"],
  ["`a` names no model; say which one the server should use", "model"],
  ["an environment variable’s name is one word; the key itself goes into the keychain", "key_env"],
  ["the header `x-api-key` holds a key; put the key into the keychain instead", "headers"],
  ["`a` would never be asked; turn it off instead", "max_concurrent"],
  ["`a` names no program; say which one answers", "command"],
  ["`a` needs the absolute path of a model file", "file"],
  ["the settings in `settings.json` cannot be read", null],
])("%s is about the field %s", (message, field) => expect(fieldOf({ message }, FIELDS)).toBe(field));

test("an error about a field that the form lacks stands below the form", () =>
  expect(fieldOf({ message: "`a` names no model" }, ["name"])).toBeNull());
