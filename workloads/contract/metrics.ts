// Metric names that dashboards and alerts rely on. Labels never collide with namespace, pod, job, instance, service, container.

export const METRIC = {
  frames: 'tradewind_frames_total',
  gaps: 'tradewind_gaps_total',
  malformedFrames: 'tradewind_malformed_frames_total',
  emissionsSkipped: 'tradewind_emissions_skipped_total',
  feedAge: 'tradewind_feed_age_seconds',
  modelSwitches: 'tradewind_model_switches_total',
  modelActive: 'tradewind_model_active',
  modelConfidence: 'tradewind_model_confidence',
  edgeBlended: 'tradewind_edge_blended_bps',
  positionUsd: 'tradewind_position_usd',
  varPct: 'tradewind_var_pct',
  varDemandPct: 'tradewind_var_demand_pct',
  breakerState: 'tradewind_breaker_state',
  decisionSeconds: 'tradewind_decision_seconds',
  tickToOrderSeconds: 'tradewind_tick_to_order_seconds',
  redisCommandSeconds: 'tradewind_redis_command_seconds',
  desiredVersion: 'tradewind_desired_version',
  desiredApplySeconds: 'tradewind_desired_apply_seconds',
  holdActive: 'tradewind_hold_active',
} as const;
