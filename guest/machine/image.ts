import { globSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  cachedFolder,
  type DebianArchives,
  debianArchives,
  packagesFor,
  run,
  temporaryDirectory,
} from '../../test/support/peers/index.ts'
import { SETUP } from './setup.ts'

/** What a guest starts from; it never writes to it. */
export interface GuestImage {
  /** An ext4 file system. */
  readonly disk: string
  readonly kernel: string
  readonly initrd: string
}

/** What makes a machine of the packages that the tests use. */
const MACHINE_PACKAGES: readonly string[] = [
  // The kernel for clouds has no 9p.
  ...['linux-image-amd64', 'kmod', 'udev', 'systemd-sysv', 'apparmor', 'procps', 'passwd'],
  ...['dbus', 'dbus-user-session', 'libpam-systemd'],
]

/** What is not used of it takes no room. */
const DISK_SIZE = '8G'

/** A Debian of this machine's release takes long to install on a busy machine. */
const PATIENCE = 30 * 60_000

/** This machine's Debian with its kernel, systemd and the packages of the tests. It is made once. */
export async function guestImage(): Promise<GuestImage> {
  const archives = await debianArchives()
  const packages = [...packagesFor('test'), ...MACHINE_PACKAGES].sort()
  const folder = await cachedFolder(['guest', 1, archives, packages, SETUP], async (made) => {
    using directory = temporaryDirectory('guest')
    const tar = directory.file('root.tar')
    await installDebian(tar, archives, packages)
    mkdirSync(made)
    await packDisk(tar, made)
  })
  return {
    disk: join(folder, 'disk'),
    kernel: join(folder, 'kernel'),
    initrd: join(folder, 'initrd'),
  }
}

async function installDebian(
  tar: string,
  { release, sources, settings }: DebianArchives,
  packages: readonly string[],
): Promise<void> {
  process.stderr.write(`making a guest of ${packages.length} packages of Debian ${release}\n`)
  const args = [
    ...['--quiet', '--mode=unshare', '--variant=minbase', `--include=${packages.join(',')}`],
    ...settings.map((setting) => `--aptopt=${setting}`),
    ...['doc', 'man', 'locale', 'info'].map(
      (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
    ),
    `--customize-hook=${SETUP}`,
    ...[release, tar, '-'],
  ]
  // It removes what it has unpacked and mounted when it is asked to end.
  const command = ['--pdeathsig', 'TERM', 'mmdebstrap', ...args]
  await run('setpriv', command, { input: sources, timeoutMs: PATIENCE })
}

/** Makes the files of a guest in a folder. */
async function packDisk(tar: string, folder: string): Promise<void> {
  const root = join(folder, 'root')
  mkdirSync(root)
  await run('tar', ['-xpf', tar, '--numeric-owner', '--xattrs', '--xattrs-include=*', '-C', root])
  for (const [name, pattern] of [
    ['kernel', 'boot/vmlinuz-*'],
    ['initrd', 'boot/initrd.img-*'],
  ] as const) {
    const [found = ''] = globSync(pattern, { cwd: root })
    renameSync(join(root, found), join(folder, name))
  }
  const disk = join(folder, 'disk')
  await run('mke2fs', ['-q', '-F', '-t', 'ext4', '-m', '0', '-d', root, disk, DISK_SIZE])
  rmSync(root, { recursive: true })
}
