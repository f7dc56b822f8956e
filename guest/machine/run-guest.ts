import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { CLEAN_ENVIRONMENT, temporaryDirectory } from '../../test/support/peers/index.ts'
import { type Accelerator, machineWords } from './accelerator.ts'
import type { GuestImage } from './image.ts'
import { FILES_OPTION, PORTS, SHARES, type Share } from './names.ts'

/** Modules that confine programs; a kernel has one of them at a time. */
export type Security = 'apparmor' | 'selinux'

export interface GuestOptions {
  readonly image: GuestImage
  readonly accelerator: Accelerator
  /** Folders that it sees, read-only. */
  readonly shares: Readonly<Record<Share, string>>
  /** Which module of the kernel confines programs. */
  readonly security: Security
  /** Which compiled test files it runs; none: those that it knows. */
  readonly files: readonly string[]
  /** Milliseconds until it is killed. */
  readonly timeout: number
}

/**
 * Starts a guest and waits for its end; what its suites write goes to standard output.
 * @returns the exit code of the suites
 * @throws {Error} with the end of what its kernel and systemd wrote, when it ends without one
 */
export async function runGuest(options: GuestOptions): Promise<number> {
  using directory = temporaryDirectory('guest')
  const [console, status] = [directory.file('console'), directory.file('status')]
  const [command = '', ...args] = guestWords(options, { console, status })
  const child = spawn(command, args, {
    env: { ...CLEAN_ENVIRONMENT, TMPDIR: directory.path },
    // A port without a reader or a writer on this side would be a closed one in the guest.
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdout.pipe(process.stdout)
  const end = await endOf(child, options.timeout)
  if (end !== undefined) throw new Error(`the guest was ended: ${end}\n${tailOf(console)}`)
  const code = readFileSync(status, 'utf8').trim()
  if (!/^\d+$/.test(code)) throw new Error(`the guest gave no result\n${tailOf(console)}`)
  return Number(code)
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Waits for a process, and ends it after its time or by a signal to this one. @returns why it was ended */
async function endOf(child: ChildProcess, timeout: number): Promise<string | undefined> {
  let reason: string | undefined
  const kill = (why: string): void => {
    reason ??= why
    child.kill('SIGKILL')
  }
  const late = setTimeout(kill, timeout, `after ${timeout} ms`)
  for (const signal of SIGNALS) process.on(signal, kill)
  try {
    await once(child, 'close')
  } finally {
    clearTimeout(late)
    for (const signal of SIGNALS) process.off(signal, kill)
  }
  return reason ?? child.signalCode ?? undefined
}

function guestWords(
  { image, accelerator, shares, security, files }: GuestOptions,
  { console, status }: { readonly console: string; readonly status: string },
): readonly string[] {
  const kernel = [
    // On a busy machine the guest's timer can be later than the kernel waits for it, which would panic.
    'no_timer_check',
    ...['root=/dev/vda', 'rw', 'console=ttyS0', 'quiet', 'panic=-1', 'systemd.show_status=no'],
    ...SECURITY[security],
    ...(files.length === 0 ? [] : [`${FILES_OPTION}=${files.join(',')}`]),
  ]
  return [
    ...machineWords(accelerator),
    ...['-smp', '2', '-m', '3G', '-kernel', image.kernel, '-initrd', image.initrd],
    ...['-append', kernel.join(' ')],
    // What it writes goes to a nameless file of QEMU.
    ...['-drive', `file=${image.disk},format=raw,if=virtio,snapshot=on,cache=unsafe`],
    ...SHARES.flatMap((share) => [
      '-virtfs',
      `local,path=${shares[share]},mount_tag=${share},security_model=none,readonly=on,multidevs=remap`,
    ]),
    ...['-chardev', `file,id=console,path=${console}`, '-serial', 'chardev:console'],
    ...['-device', 'virtio-serial-pci'],
    ...['-chardev', 'stdio,id=output,signal=off', ...portArguments('output')],
    ...['-chardev', `file,id=status,path=${status}`, ...portArguments('status')],
    ...['-device', 'virtio-rng-pci'],
  ]
}

/** Nothing is confined before there is a policy. */
const SECURITY: Readonly<Record<Security, readonly string[]>> = {
  apparmor: ['security=apparmor'],
  selinux: ['security=selinux', 'selinux=1', 'enforcing=0'],
}

function portArguments(port: keyof typeof PORTS): readonly string[] {
  return ['-device', `virtserialport,chardev=${port},name=${PORTS[port]}`]
}

function tailOf(path: string): string {
  return readFileSync(path, 'latin1').split(/\r?\n/).slice(-40).join('\n')
}
