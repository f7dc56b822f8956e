import { Buffer } from 'node:buffer'
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { isUserNamespace } from '#builder/linux'
import { run, type Sandbox } from '#builder/sandbox'
import { createWritable } from '#builder/snapshot'
import type { Mount } from '#core'
import type { ProcessSpec } from '../../../builder/sandbox/spec/process-spec.ts'

const BUSYBOX = '/bin/busybox'
const APPLETS =
  'sh ash cat chmod cp date dd echo env false find grep head hostname id ifconfig kill ln ls mkdir mkfifo mknod mount mv nc nproc ping ps pwd readlink rm rmdir sed seq setsid sha256sum sleep sort stat stty sync tail test touch tr true tty umount unshare wc wget which yes chroot'

/** What one step left behind. */
export interface StepResult {
  readonly exitCode: number
  readonly signal: string | undefined
  readonly stdout: string
  readonly stderr: string
  /** The directory that holds what the step wrote. */
  readonly upper: string
}

/** How a process ended, without what it has used, which is another number each time. */
export function endOf<T extends { readonly used: unknown }>({
  used: _,
  ...end
}: T): Omit<T, 'used'> {
  return end
}

/** What differs from the usual step of a test. */
export type StepOverrides = Partial<Omit<ProcessSpec, 'mounts'>> & {
  /** Mounted into the root. */
  readonly mounts?: readonly Mount[]
  /** A layer above the image's. */
  readonly layer?: string
  readonly signal?: AbortSignal
  readonly onOutput?: (stream: 'stdout' | 'stderr', data: Uint8Array) => void
}

/** Opens the sandbox that is tested. @param options a directory that it may use */
export type OpenSandbox = (options: { readonly temporary: string }) => Sandbox

/** In what sandboxes may differ. */
export interface SandboxTraits {
  /** It starts programs as pid 1, too. */
  readonly startsFirst: boolean
  /** Other processes can be started beside one. */
  readonly startsOthers: boolean
  /** It needs no files of accounts in order to run steps as root or by numbers, and no /dev/null. */
  readonly bearsAnyRoot: boolean
  /** It starts containers, too. */
  readonly startsContainers: boolean
}

/** Those of a sandbox that leaves nothing out. */
export const EVERYTHING: SandboxTraits = {
  startsFirst: true,
  startsOthers: true,
  bearsAnyRoot: true,
  startsContainers: true,
}

/** A sandbox with a small image, in a directory that `close` removes. */
export class SandboxFixture {
  readonly directory: string
  readonly image: string
  readonly sandbox: Sandbox
  #steps = 0

  constructor(open: OpenSandbox) {
    this.directory = mkdtempSync('/tmp/tsbuild-sandbox-test-')
    this.image = `${this.directory}/image`
    makeImage(this.image)
    mkdirSync(`${this.directory}/temporary`)
    this.sandbox = open({ temporary: `${this.directory}/temporary` })
  }

  /** A new, empty layer directory. */
  layer(): string {
    const path = `${this.directory}/layer-${this.#steps++}`
    mkdirSync(path)
    return path
  }

  /** A step's process as the sandbox gets it, on a fresh writable layer. */
  spec(args: readonly string[], overrides: StepOverrides = {}): ProcessSpec {
    const { layer, mounts = [], signal: _signal, onOutput: _onOutput, ...rest } = overrides
    const lower = layer === undefined ? [this.image] : [layer, this.image]
    const writable = createWritable(`${this.directory}/step-${this.#steps++}`, lower)
    return {
      args,
      env: ['PATH=/bin'],
      cwd: '/',
      user: '',
      hostname: 'buildkitsandbox',
      network: 'none',
      extraHosts: [],
      shmSize: 64 * 1024 * 1024,
      security: 'sandbox',
      init: true,
      ulimits: [],
      resources: {},
      ...rest,
      mounts: [{ type: 'overlay', target: '/', lower, writable }, ...mounts],
    }
  }

  async run(args: readonly string[], overrides: StepOverrides = {}): Promise<StepResult> {
    const spec = this.spec(args, overrides)
    const chunks: Record<'stdout' | 'stderr', Uint8Array[]> = { stdout: [], stderr: [] }
    const status = await run(this.sandbox, spec, {
      signal: overrides.signal,
      onOutput: overrides.onOutput ?? ((stream, data) => chunks[stream].push(data)),
    })
    return {
      exitCode: status.exitCode,
      signal: status.signal,
      stdout: Buffer.concat(chunks.stdout).toString(),
      stderr: Buffer.concat(chunks.stderr).toString(),
      upper: upperOf(spec),
    }
  }

  /** Runs a shell script and expects it to succeed. */
  async sh(script: string, overrides: StepOverrides = {}): Promise<string> {
    const result = await this.run(['sh', '-c', script], overrides)
    if (result.exitCode === 0) return result.stdout
    throw new Error(`exit code ${result.exitCode}\n${result.stdout}\n${result.stderr}`)
  }

  async close(): Promise<void> {
    await this.sandbox[Symbol.asyncDispose]()
    rmSync(this.directory, { recursive: true })
  }
}

/** The directory that takes up what a step writes. */
export function upperOf(spec: ProcessSpec): string {
  const [root] = spec.mounts
  if (root.type === 'overlay' && root.writable !== undefined) return root.writable.upper
  throw new Error('the root is not writable')
}

/** A root directory with busybox and two users, without any mount points. */
function makeImage(directory: string): void {
  if (!existsSync(BUSYBOX)) throw new Error('these tests need the package busybox-static')
  mkdirSync(`${directory}/bin`, { recursive: true })
  copyFileSync(BUSYBOX, `${directory}/bin/busybox`)
  for (const applet of APPLETS.split(' ')) symlinkSync('busybox', `${directory}/bin/${applet}`)
  mkdirSync(`${directory}/etc`)
  writeFileSync(
    `${directory}/etc/passwd`,
    'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\nhigh:x:4294967295:0::/:/bin/sh\n',
  )
  writeFileSync(
    `${directory}/etc/group`,
    'root:x:0:\nteam:x:1001:\nextra:x:2000:root,app\nmore:x:2001:app\n',
  )
}

/** Skips a test of what only the machine's root can do. */
export function needsMachineRoot(test: Mocha.Context): void {
  if (isUserNamespace()) test.skip()
}

/** Skips a test of networks that an ordinary user of this machine cannot connect. */
export function needsOwnNetwork(test: Mocha.Context): void {
  if (!isUserNamespace()) return
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
  } catch {
    test.skip()
  }
}

/** `KEY: value` lines of /proc/self/status. */
export function parseStatus(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const [key, value] = line.split(':\t')
      return key === undefined || value === undefined ? [] : [[key, value.trim()] as const]
    }),
  )
}
