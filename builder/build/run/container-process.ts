import type { ProcessSpec } from '#builder/sandbox'
import { type ContainerConfig, TsbuildError } from '#core'

/** What a container is asked to run, beside what its image says. */
export interface ContainerRequest {
  /** Replaces CMD; empty: the image's. */
  readonly args?: readonly string[] | undefined
  /** Replaces ENTRYPOINT, and drops CMD; one empty word is none at all. */
  readonly entrypoint?: readonly string[] | undefined
  /** `KEY=value`, or `KEY` for a variable of the image that is left out. */
  readonly env?: readonly string[] | undefined
  readonly user?: string | undefined
  /** Absolute. Default: the image's WORKDIR, else `/`. */
  readonly workdir?: string | undefined
  readonly hostname: string
  readonly hasTerminal: boolean
}

/** The process of a container, and how it is asked to end. */
export interface ContainerProcess
  extends Pick<ProcessSpec, 'args' | 'env' | 'cwd' | 'user' | 'hostname'> {
  readonly stopSignal: string
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * What a container of an image runs, as docker makes it of both.
 * @throws {TsbuildError} USAGE where neither says what to run
 * Spec: image-spec v1.1 conversion.md; Docker Engine API, POST /containers/create
 */
export function containerProcess(
  image: ContainerConfig,
  request: ContainerRequest,
): ContainerProcess {
  const { user, workdir, hostname } = request
  const args = commandOf(image, request)
  if (args.length === 0) {
    throw new TsbuildError('no command specified', {
      code: 'USAGE',
      hint: 'the image has neither CMD nor ENTRYPOINT: name a program behind the image',
    })
  }
  return {
    ...{ args, hostname },
    env: environmentOf(image, request),
    cwd: absolute(workdir ?? image.WorkingDir ?? ''),
    user: user ?? image.User ?? '',
    stopSignal: image.StopSignal ?? 'SIGTERM',
  }
}

function commandOf(
  image: ContainerConfig,
  { args = [], entrypoint }: ContainerRequest,
): readonly string[] {
  if (entrypoint !== undefined) return [...entrypoint.filter((word) => word !== ''), ...args]
  return [...(image.Entrypoint ?? []), ...(args.length === 0 ? (image.Cmd ?? []) : args)]
}

/** Those of the caller stand before those of the image, and what neither gives comes first. */
function environmentOf(
  { Env: own = [] }: ContainerConfig,
  { env: asked = [], hostname, hasTerminal }: ContainerRequest,
): readonly string[] {
  const variables = new Map([
    ['PATH', `PATH=${DEFAULT_PATH}`],
    ['HOSTNAME', `HOSTNAME=${hostname}`],
    ...(hasTerminal ? ([['TERM', 'TERM=xterm']] as const) : []),
  ])
  const names = new Set(asked.map(nameOf))
  const kept = own.filter((entry) => !names.has(nameOf(entry)))
  for (const entry of [...asked, ...kept]) {
    if (entry.includes('=')) variables.set(nameOf(entry), entry)
    else variables.delete(entry)
  }
  return [...variables.values()]
}

function nameOf(entry: string): string {
  const end = entry.indexOf('=')
  return end < 0 ? entry : entry.slice(0, end)
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `/${path}`
}
