// A document under which a desk trades often on the synthetic market: cheap, without a band, and as often as it likes.
import { desiredDocument, type DesiredDocument } from '../../contract/desired.ts';
import { aFullDocument } from '../../router/test/documents.ts';

export function aTradingDocument(): DesiredDocument {
  const { owner, epoch, version, hash: _, hardLimits, risk, ...content } = aFullDocument();
  const { params } = risk;
  const positionSizing = {
    ...params.positionSizing,
    costs: { feeBps: 0, slippageBps: 0, bufferBps: 0 },
    noTradeBandPct: 1,
  };
  const symbols = Object.entries(hardLimits.symbols).map(([name, of]) => [name, { ...of, maxOrdersPerMinute: 6_000 }]);
  return desiredDocument(
    { owner, epoch, version },
    {
      ...content,
      risk: { ...risk, params: { ...params, positionSizing } },
      hardLimits: { ...hardLimits, maxDailyTurnover: 1e6, symbols: Object.fromEntries(symbols) },
    },
  );
}
