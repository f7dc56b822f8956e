import type { ContainerSettings } from './container-settings.ts'
import type { ProcessSpec } from './process-spec.ts'

/** A step or container as data, for other threads: what it shares with processes is left out. */
export interface StepSpec extends Omit<ProcessSpec, 'network' | 'container'> {
  readonly container?: Omit<ContainerSettings, 'namespaces'>
}
