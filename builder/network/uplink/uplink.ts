import { isPidNamespace } from '#builder/linux'
import { TsbuildError } from '#core'
import { startUplink, type UplinkProcess } from './uplink-process.ts'
import { canMakeTunnels, type InstalledProgram, installedPrograms } from './uplink-programs.ts'
import type { UplinkPlace } from './uplink-router.ts'

/** The way of a router to the world, by a program; for as long as it is not disposed of. */
export class Uplink implements AsyncDisposable {
  readonly #place: UplinkPlace
  #process: UplinkProcess
  #starting: Promise<UplinkProcess> | undefined

  /** @param process that has connected the place */
  constructor(place: UplinkPlace, process: UplinkProcess) {
    this.#place = place
    this.#process = process
  }

  /** Connects the router again if its program has ended. @throws {TsbuildError} SANDBOX_UNAVAILABLE */
  async keep(): Promise<void> {
    if (this.#process.isAlive) return
    this.#starting ??= startFirst(this.#place)
    try {
      this.#process = await this.#starting
    } finally {
      this.#starting = undefined
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#starting?.catch(() => undefined)
    await this.#process[Symbol.asyncDispose]()
  }
}

/** Connects a router, from the host's network. @throws {TsbuildError} SANDBOX_UNAVAILABLE with all reasons */
export async function openUplink(place: UplinkPlace): Promise<Uplink> {
  return new Uplink(place, await startFirst(place))
}

/** Why no program can connect anything here; `undefined`: one probably can. */
export function missingUplinkError(): TsbuildError | undefined {
  const isInstalled = installedPrograms().length > 0
  if (isInstalled && canMakeTunnels()) return undefined
  const missing = [
    ...(isInstalled ? [] : ['neither slirp4netns nor pasta is installed']),
    ...(canMakeTunnels() ? [] : ['/dev/net/tun cannot be opened']),
  ]
  const remedies = [
    ...(isInstalled ? [] : ['install the package slirp4netns (or passt)']),
    ...(canMakeTunnels() ? [] : [openTunnels()]),
  ]
  return unavailable(missing.join(', and '), remedies.join(', and '))
}

function openTunnels(): string {
  return isPidNamespace()
    ? 'start the container with --device /dev/net/tun'
    : 'let this user open /dev/net/tun'
}

async function startFirst({ resolver, addresses }: UplinkPlace): Promise<UplinkProcess> {
  const missing = missingUplinkError()
  if (missing !== undefined) throw missing
  const failures: string[] = []
  const programs = installedPrograms()
  for (const program of programs) {
    try {
      return await startUplink({ program, addresses, namespace: resolver.namespace })
    } catch (cause) {
      if (!(cause instanceof TsbuildError)) throw cause
      failures.push(cause.message)
    }
  }
  throw unavailable(failures.join('; '), othersThan(programs))
}

function othersThan(tried: readonly InstalledProgram[]): string {
  return tried.some(({ name }) => name === 'slirp4netns')
    ? 'see what it needs, or install the package passt'
    : 'see what it needs, or install the package slirp4netns'
}

function unavailable(message: string, hint: string): TsbuildError {
  return new TsbuildError(message, { code: 'SANDBOX_UNAVAILABLE', hint })
}
