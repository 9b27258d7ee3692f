// Generated from crds/schema by `make generate`. Do not edit.

export const SCHEMA_HASHES = {
  'tradingsystems.tradewind.io': 'd557588fdf705105',
  'riskparams.tradewind.io': '40fced4833619a9c',
  'routerrules.tradewind.io': '68b70667a11ca81a',
  'holds.tradewind.io': '5693ed23a8912025',
} as const;
