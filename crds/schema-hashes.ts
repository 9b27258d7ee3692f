// Generated from crds/schema by `make generate`. Do not edit.

export const SCHEMA_HASHES = {
  'tradingsystems.tradewind.io': '9cb39c683aec67df',
  'riskparams.tradewind.io': '40fced4833619a9c',
  'routerrules.tradewind.io': '2d94d831bf3026c7',
  'holds.tradewind.io': '5693ed23a8912025',
} as const;
