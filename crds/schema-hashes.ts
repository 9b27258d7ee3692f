// Generated from crds/schema by `make generate`. Do not edit.

export const SCHEMA_HASHES = {
  'tradingsystems.tradewind.io': '614d32cf8496c3f4',
  'riskparams.tradewind.io': '40fced4833619a9c',
  'routerrules.tradewind.io': '1206f9466b66ed38',
  'holds.tradewind.io': '5693ed23a8912025',
} as const;
