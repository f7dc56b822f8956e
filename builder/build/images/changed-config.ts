import { globalScope, planBuild, resolveGraph } from '#builder/plan'
import { type ContainerConfig, hostPlatform, TsbuildError } from '#core'
import { type Dockerfile, diagnosticsError, parseDockerfile } from '#parser'

/** Instructions that change a config and no files. */
const ALLOWED: ReadonlySet<string> = new Set([
  ...['cmd', 'entrypoint', 'env', 'expose', 'healthcheck', 'label'],
  ...['onbuild', 'stopsignal', 'user', 'volume', 'workdir'],
])

/**
 * A config as instructions of a Dockerfile change it: `docker commit --change`, `docker import --change`.
 * @param changes instructions, each of a line or more
 * @throws {TsbuildError} USAGE
 */
export async function changedConfig(
  config: ContainerConfig,
  changes: readonly string[],
): Promise<ContainerConfig> {
  if (changes.length === 0) return config
  // Triggers are for images that are built on this one.
  const { OnBuild = [], ...own } = config
  try {
    const changed = await planConfig(parseChanges(changes), own)
    const triggers = [...OnBuild, ...(changed.OnBuild ?? [])]
    return { ...changed, ...(triggers.length === 0 ? {} : { OnBuild: triggers }) }
  } catch (cause) {
    if (!(cause instanceof TsbuildError)) throw cause
    throw new TsbuildError(cause.message, { code: 'USAGE', cause })
  }
}

function parseChanges(changes: readonly string[]): Dockerfile {
  const text = `FROM image\n${changes.join('\n')}\n`
  const { dockerfile, diagnostics } = parseDockerfile(text)
  const mistake = diagnosticsError(diagnostics, { filename: 'changes', text })
  if (mistake !== undefined) throw mistake
  const [stage, another] = dockerfile.stages
  const wrong = another?.from ?? stage?.instructions.find(({ kind }) => !ALLOWED.has(kind))
  if (wrong === undefined) return dockerfile
  throw new TsbuildError(`${wrong.kind.toUpperCase()} is not a valid change command`, {
    code: 'USAGE',
  })
}

/** The config of an image that is built on one without layers. */
async function planConfig(
  dockerfile: Dockerfile,
  config: ContainerConfig,
): Promise<ContainerConfig> {
  const targetPlatform = hostPlatform()
  const globals = globalScope(dockerfile, { buildArgs: {}, targetPlatform, target: undefined })
  const image = { platform: targetPlatform, config, diffIds: [], history: [] }
  const base = { name: 'image', manifest: undefined, config: image, layers: [] }
  const { graph, bases } = await resolveGraph(dockerfile, {
    ...{ globals, targetPlatform, target: undefined },
    resolve: async () => await Promise.resolve(base),
  })
  const options = { globals, targetPlatform, network: 'default', labels: {} } as const
  return planBuild(graph, bases, options).image.config
}
