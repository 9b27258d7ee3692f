// Which sources are signal providers: they have no book, and their claims are blended beside the models'. Pure; operator, ingest,
// router, simulator.
import type { SystemConfig } from './system-config.ts';

type Source = SystemConfig['sources'][number];

export const isAlpha = ({ type }: Pick<Source, 'type'>): boolean => type === 'alpha';
