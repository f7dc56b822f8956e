import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, constants, existsSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { TsbuildError } from '#core'

/**
 * The program that connects a network namespace to the world without any rights; `undefined` also
 * where it would not work, because this user may not make tunnels.
 */
export function findNetworkProgram(): string | undefined {
  return isUsable(TUNNELS) ? PROGRAMS.find((path) => existsSync(path)) : undefined
}

function isUsable(device: string): boolean {
  try {
    // Opened: the devices of a container are limited by more than their modes.
    closeSync(openSync(device, constants.O_RDWR))
    return true
  } catch {
    return false
  }
}

const TUNNELS = '/dev/net/tun'

const PROGRAMS: readonly string[] = [
  '/usr/bin/slirp4netns',
  '/usr/local/bin/slirp4netns',
  '/bin/slirp4netns',
]

/** The DNS server that slirp4netns shows inside; it asks those of the host. */
export const OWN_NETWORK_DNS = '10.0.2.3'

/** Numbers of the descriptors that the helper gets. */
const LIFELINE = 3
const READY = 4
const NAMESPACE = 5

/**
 * Starts the program on the host's side and waits until the network works. It ends with the builder,
 * since a pipe to it closes.
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE
 */
export async function startHelper(namespace: number): Promise<ChildProcess> {
  const program = findNetworkProgram() ?? 'slirp4netns'
  const args = [
    '--configure',
    '--mtu=65520',
    '--disable-host-loopback',
    '--enable-sandbox',
    `--exit-fd=${LIFELINE}`,
    `--ready-fd=${READY}`,
    '--netns-type=path',
    `/proc/self/fd/${NAMESPACE}`,
    'tap0',
  ]
  const stdio = ['ignore', 'ignore', 'ignore', 'pipe', 'pipe', namespace] as const
  const helper = spawn(program, args, { cwd: '/', env: {}, detached: true, stdio: [...stdio] })
  helper.on('error', () => undefined)
  const ready = helper.stdio[READY] as Readable
  const bytes = await ready.take(1).toArray()
  if (bytes.length === 0) {
    helper.kill('SIGKILL')
    throw new TsbuildError(`${program} could not set up a network for the step`, {
      code: 'SANDBOX_UNAVAILABLE',
      hint: 'steps with --network=host do without it',
    })
  }
  ready.destroy()
  // An idle network must not keep the builder from ending.
  helper.unref()
  const lifeline = helper.stdio[LIFELINE]
  if (lifeline instanceof Socket) lifeline.unref()
  return helper
}
