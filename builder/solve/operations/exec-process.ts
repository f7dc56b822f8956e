import type { ExecVertex } from '#builder/plan'
import type { ProcessSpec } from '#builder/sandbox'
import type { Mount } from '#core'
import type { OpenMounts } from './exec-mounts.ts'

/** The files of a process. */
interface ProcessFiles {
  readonly root: Mount
  readonly opened: Pick<OpenMounts, 'mounts' | 'env'>
}

/** The process of a RUN as the sandbox takes it. */
export function processOf(
  { args, env, proxyEnv, settings, ...common }: ExecVertex['process'],
  { root, opened }: ProcessFiles,
): ProcessSpec {
  const { extraHosts, shmSize, ulimits, resources, cgroupParent } = settings
  return {
    ...common,
    args,
    env: [...withOthers(env, proxyEnv), ...opened.env],
    mounts: [root, ...opened.mounts],
    init: true,
    ...{ extraHosts, shmSize, ulimits, resources, cgroupParent },
  }
}

/** Variables given to the builder, such as proxies, override those of the image. */
function withOthers(env: readonly string[], others: readonly string[]): readonly string[] {
  const nameOf = (entry: string): string => entry.slice(0, entry.indexOf('='))
  const given = new Set(others.map(nameOf))
  return [...env.filter((entry) => !given.has(nameOf(entry))), ...others]
}
