import { availableParallelism } from 'node:os'
import { PressureGauge } from './pressure-gauge.ts'
import { pressureSource } from './pressure-source.ts'

/** Processors, and what tells how busy they are. */
export interface Processors {
  readonly processors: number
  readonly gauge: Pick<PressureGauge, 'restart' | 'measure'>
}

/** Those of this machine, with a gauge for one user. */
export function ownProcessors(): Processors {
  const processors = availableParallelism()
  return { processors, gauge: new PressureGauge(() => pressureSource({ processors })) }
}
