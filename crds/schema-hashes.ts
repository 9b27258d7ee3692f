// Generated from crds/schema by `make generate`. Do not edit.

export const SCHEMA_HASHES = {
  'tradingsystems.tradewind.io': '9aaf642ebaecee81',
  'riskparams.tradewind.io': '40fced4833619a9c',
  'routerrules.tradewind.io': 'edd2a0649fc4af6f',
  'holds.tradewind.io': '5693ed23a8912025',
} as const;
