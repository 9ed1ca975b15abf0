"""The same questions as `fanout.rs`, through LiteLLM; prints one row of its table."""
import asyncio
import os
import sys
import time

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm

SLOW, QUICK, SYSTEM, USER = sys.argv[1:5]
PANEL, DELAY_MS, AT_ONCE = map(int, sys.argv[5:8])
ROUNDS, MANY = 20, 500


async def ask(server):
    answer = await litellm.acompletion(
        model="openai/m",
        api_base=server + "/v1",
        api_key="k",
        max_tokens=64,
        messages=[{"role": "system", "content": SYSTEM}, {"role": "user", "content": USER}],
    )
    assert answer.choices[0].message.content == "use a placeholder"


async def main():
    await asyncio.gather(*(ask(SLOW) for _ in range(PANEL)))
    over = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        await asyncio.gather(*(ask(SLOW) for _ in range(PANEL)))
        over.append((time.perf_counter() - start) * 1000 - DELAY_MS)
    over.sort()
    gate = asyncio.Semaphore(AT_ONCE)

    async def one():
        async with gate:
            await ask(QUICK)

    start, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one() for _ in range(MANY)))
    a_second = MANY / (time.perf_counter() - start)
    cpu = (time.process_time() - cpu) * 1000 / MANY
    p50, p99 = over[ROUNDS // 2], over[ROUNDS * 99 // 100]
    print(f"LiteLLM {litellm_version()}\t{ROUNDS}\t{p50:.1f}\t{p99:.1f}\t{MANY}\t{a_second:.0f}\t{cpu:.2f}")


def litellm_version():
    from importlib.metadata import version

    return version("litellm")


asyncio.run(main())
