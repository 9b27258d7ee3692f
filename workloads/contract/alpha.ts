// Which sources are signal providers: they have no book, and their claims are blended beside the models'. Pure; operator, ingest,
// router, simulator.
import type { SystemConfig } from './system-config.ts';

type Source = SystemConfig['sources'][number];

/** Of type alpha, or a simulator that plays one. */
export const isAlpha = ({ type, options }: Pick<Source, 'type' | 'options'>): boolean =>
  type === 'alpha' || (type === 'simulator' && options.protocol === 'alpha');
