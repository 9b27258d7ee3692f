"""cryptofeed: recorded frames straight into Binance's or Coinbase's message_handler, a no-op async callback on each channel.
Measured: JSON text -> yapic json -> Trade/Ticker/OrderBook objects, book maintained (SortedDict of Decimal) -> callback."""
import asyncio, gzip, json, logging, re, sys, time
from importlib.metadata import version

logging.disable(logging.CRITICAL)
from cryptofeed.defines import L2_BOOK, TICKER, TRADES
from cryptofeed.exchanges.binance import Binance
from cryptofeed.exchanges.coinbase import Coinbase
from cryptofeed.symbols import Symbols

PATH, BASE, PASSES = sys.argv[1], sys.argv[2], int(sys.argv[3])
frames, snap = [], None
for line in gzip.open(PATH, "rt"):
    ts, f = line.rstrip("\n").split(" ", 1)
    if '"lastUpdateId"' in f:
        snap = f
    else:  # cryptofeed subscribes to aggTrade; the recording holds trade: same fields but for the id's name
        if '"e":"trade"' in f:
            f = f.replace('"e":"trade"', '"e":"aggTrade"', 1).replace('@trade"', '@aggTrade"', 1).replace('"t":', '"a":', 1)
        frames.append((f, int(ts) / 1e9))
ON_COINBASE = BASE == "COINBASE"
stds = sorted({p for f, _ in frames for p in re.findall('"product_id":"([^"]+)"', f)}) if ON_COINBASE else [f"{BASE}-USDT"]
info = {"tick_size": {s: "0.01" for s in stds}, "instrument_type": {s: "spot" for s in stds}}
Symbols.set("COINBASE" if ON_COINBASE else "BINANCE", {s: s if ON_COINBASE else s.replace("-", "") for s in stds}, info)
calls = 0


class Http:
    async def read(self, *_a, **_k):
        return snap


async def cb(_obj, _ts):
    global calls
    calls += 1


def feed():
    if ON_COINBASE:
        return Coinbase(symbols=stds, channels=[TRADES, L2_BOOK], callbacks={TRADES: cb, L2_BOOK: cb})
    f = Binance(symbols=stds, channels=[TICKER, TRADES, L2_BOOK], callbacks={TICKER: cb, TRADES: cb, L2_BOOK: cb})
    f.http_conn = Http()
    return f


async def main():
    global calls
    lat, walls = [], []
    kinds = ["depth" if "@depth" in f or '"l2_data"' in f else "trade" if "rade" in f[:40] else "book" for f, _ in frames]
    for p in range(PASSES + 1):
        f, h = feed(), None
        h, t0 = f.message_handler, time.perf_counter_ns()
        for m, ts in frames:
            await h(m, None, ts)
        if p:
            walls.append(time.perf_counter_ns() - t0)
    calls = 0
    f = feed()
    h, ns = f.message_handler, time.perf_counter_ns
    for m, ts in frames:
        a = ns()
        await h(m, None, ts)
        lat.append(ns() - a)
    books = [f._l2_book[s].book for s in stds]
    best = [str(side.index(0)[0]) for b in books for side in (b.bids, b.asks)]
    if len(books) == 1:
        best += [len(books[0].bids), len(books[0].asks)]
    report("cryptofeed " + version("cryptofeed"), lat, walls, kinds, best, calls)


def report(name, lat, walls, kinds, best, calls):
    q = lambda x, p: round(sorted(x)[min(len(x) - 1, int(p * len(x)))] / 1e3, 2)
    walls.sort()
    w = walls[len(walls) // 2]
    print(json.dumps({"engine": name, "symbol": BASE, "frames": len(lat), "passes": PASSES, "frames_per_s": round(len(lat) / w * 1e9),
        "us_mean": round(w / len(lat) / 1e3, 2), "us_p50": q(lat, .5), "us_p99": q(lat, .99), "us_max": q(lat, 1),
        "us_p50_by_kind": {k: q([l for l, x in zip(lat, kinds) if x == k], .5) for k in dict.fromkeys(kinds)},
        "callbacks": calls, "final_book": best}))


asyncio.run(main())
