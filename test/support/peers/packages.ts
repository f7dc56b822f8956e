import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { capture, run } from './process.ts'

/** Debian packages that the test suite uses, with the reason. */
const TEST_PACKAGES: Readonly<Record<string, string>> = {
  attr: 'getfattr: reads extended attributes for the comparison of images',
  'busybox-static': 'the smallest base image that has a shell',
  bzip2: 'another writer of bzip2',
  'docker-registry': 'the registry that images are pushed to',
  'docker.io': 'BuildKit, the reference for what a build makes',
  e2fsprogs: 'mkfs.ext4: a file system for a store that loses its power',
  gcc: 'compiles the program that tells what a step can reach',
  git: 'what repositories are fetched with, and served by',
  'libc6-dev': 'the C library for it',
  libseccomp2: 'another compiler of filters of system calls',
  mmdebstrap: 'makes the Debian base image',
  mount: 'mounts /proc for the steps of tsbuild; the smallest of Debians lack it',
  'openssh-client': 'ssh-add and ssh-keygen: other readers of keys and users of agents',
  openssl: 'makes certificates for registries that speak https',
  python3: 'another reader and writer of tar',
  runc: 'runs what was built',
  skopeo: 'reads and copies what was built, independently',
  slirp4netns: "the network of tsbuild's sandbox",
  uidmap: 'newuidmap: builds as an ordinary user',
  umoci: 'unpacks what was built, independently',
  'xz-utils': 'another writer of xz',
  zstd: 'another reader and writer of zstd',
}

/** A script that needs more than the tests: `npm run bench`, `npm run test:containers`. */
export type PackageUser = 'bench' | 'containers'

const OTHER_PACKAGES: Readonly<Record<PackageUser, Readonly<Record<string, string>>>> = {
  bench: { buildah: 'a builder to compare with' },
  containers: { podman: 'another engine whose containers tsbuild runs in' },
}

/** The packages of the suite and of the other users that are not installed, sorted. */
async function missingPackages(users: readonly PackageUser[]): Promise<string[]> {
  const more = users.flatMap((user) => Object.keys(OTHER_PACKAGES[user]))
  const wanted = [...Object.keys(TEST_PACKAGES), ...more]
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholders
  const { stdout } = await capture('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n'])
  const lines = new Set(stdout.split('\n'))
  return wanted.filter((name) => !lines.has(`${name} installed`)).sort()
}

/**
 * Installs what is missing with apt-get. Does nothing, quickly, when all is there.
 * @throws {Error} with the command to run when something is missing and this is not root
 */
export async function ensurePackages(users: readonly PackageUser[] = []): Promise<void> {
  const missing = await missingPackages(users)
  if (missing.length === 0) return
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`
  if (process.getuid?.() !== 0) {
    throw new Error(`Debian packages are missing; as root, run: ${command}`)
  }
  process.stderr.write(`${command}\n`)
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', ['update', '-q'], { env })
  const undo = forbidServices()
  try {
    await run('apt-get', command.split(' ').slice(1), { env, timeoutMs: 600_000 })
  } finally {
    undo()
  }
}

/**
 * Some of the packages bring daemons that Debian starts at once. A test machine should run none
 * but those that a test starts, so they are refused while the packages are installed.
 * Spec: Debian's invoke-rc.d(8), policy-rc.d
 */
function forbidServices(): () => void {
  const policy = '/usr/sbin/policy-rc.d'
  // A machine that has a policy of its own keeps it.
  if (existsSync(policy)) return () => undefined
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  return () => rmSync(policy, { force: true })
}
