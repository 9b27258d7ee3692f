// Generated from crds/schema by `make generate`. Do not edit.

export const SCHEMA_HASHES = {
  'tradingsystems.tradewind.io': 'ecd1c5c94de907ae',
  'riskparams.tradewind.io': '40fced4833619a9c',
  'routerrules.tradewind.io': '1206f9466b66ed38',
  'holds.tradewind.io': '5693ed23a8912025',
} as const;
