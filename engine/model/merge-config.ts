import type { ContainerConfig, Healthcheck } from '#core'
import type { Config } from './bodies.ts'

/**
 * What a container runs: the request, and where it says nothing, its image. Spec: Docker Engine API, POST
 * /containers/create; image-spec v1.1 conversion.md
 */
export function mergeConfig(request: Config, image: ContainerConfig): Config {
  const { Cmd, Entrypoint } = commandOf(request, image)
  const { User, WorkingDir, StopSignal, Shell } = image
  return {
    ...request,
    ...optional('User', request.User || User),
    ...optional('WorkingDir', request.WorkingDir || WorkingDir),
    ...optional('StopSignal', request.StopSignal || StopSignal),
    ...optional('Shell', request.Shell ?? Shell),
    Cmd,
    Entrypoint,
    Env: environmentOf(request.Env ?? [], image.Env ?? []),
    Labels: { ...image.Labels, ...request.Labels },
    ...optional('Volumes', unionOf(image.Volumes, request.Volumes)),
    ...optional('ExposedPorts', unionOf(image.ExposedPorts, request.ExposedPorts)),
    ...optional('Healthcheck', healthcheckOf(request.Healthcheck, image.Healthcheck)),
    ...optional('OnBuild', image.OnBuild),
  }
}

/** An entrypoint that is asked for drops the image's command; `[""]` is none at all. */
function commandOf(
  request: Config,
  image: ContainerConfig,
): Required<Pick<Config, 'Cmd' | 'Entrypoint'>> {
  const hasEntrypoint = (request.Entrypoint ?? []).length > 0
  const hasCommand = (request.Cmd ?? []).length > 0
  const entrypoint = hasEntrypoint ? request.Entrypoint : image.Entrypoint
  const isNone = entrypoint?.length === 1 && entrypoint[0] === ''
  return {
    Cmd: (hasCommand || hasEntrypoint ? request.Cmd : image.Cmd) ?? [],
    Entrypoint: isNone ? [] : (entrypoint ?? []),
  }
}

/** Those that are asked for come first, then those of the image that they do not replace. */
function environmentOf(asked: readonly string[], own: readonly string[]): readonly string[] {
  const names = new Set(asked.map(variableName))
  return [...asked, ...own.filter((entry) => !names.has(variableName(entry)))]
}

/** Of `NAME=value` or `NAME`. */
export function variableName(entry: string): string {
  const end = entry.indexOf('=')
  return end < 0 ? entry : entry.slice(0, end)
}

/** A test that is asked for takes from the image what it does not say. */
function healthcheckOf(
  asked: Healthcheck | undefined,
  own: Healthcheck | undefined,
): Healthcheck | undefined {
  if (asked === undefined || own === undefined) return asked ?? own
  const set = Object.entries(asked).filter(([, value]) =>
    Array.isArray(value) ? value.length > 0 : value !== 0,
  )
  return { ...own, ...Object.fromEntries(set) }
}

type KeySet = Readonly<Record<string, Record<string, never>>>

function unionOf(one: KeySet | undefined, other: KeySet | undefined): KeySet | undefined {
  return one === undefined && other === undefined ? undefined : { ...one, ...other }
}

function optional<K extends string, T>(name: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [P in K]?: T })
}
