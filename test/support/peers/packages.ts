import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { capture, run } from './process.ts'

/** Debian packages that `npm run build:image` uses, with the reason. */
const IMAGE_PACKAGES: Readonly<Record<string, string>> = {
  binutils: "strip: takes symbols out of Node's program",
  mmdebstrap: "unpacks Debian's packages: a base image, and what the image tsbuild has of them",
  patchelf: 'makes programs find their libraries in another place',
}

/** Those that the test suite uses besides. */
const TEST_PACKAGES: Readonly<Record<string, string>> = {
  'apache2-utils': 'htpasswd: passwords of registries',
  attr: 'getfattr: reads extended attributes for the comparison of images',
  'bind9-dnsutils': 'dig: another client of name servers',
  buildah: 'another builder, which reads what was built',
  'busybox-static': 'the smallest base image that has a shell',
  bzip2: 'another writer of bzip2',
  'containernetworking-plugins': 'networks of the steps of other builders',
  'docker-compose': 'a client of the Docker API, and its library for Python',
  'docker-registry': 'the registry that images are pushed to',
  'docker.io': 'BuildKit, the reference for what a build makes',
  e2fsprogs: 'mkfs.ext4: a file system for a store that loses its power',
  'fuse-overlayfs': 'snapshots of steps by a program',
  gcc: 'compiles the program that tells what a step can reach',
  git: 'what repositories are fetched with, and served by',
  'libc6-dev': 'the C library for it',
  iproute2: 'ip and ss: networks of which a proxy is the only way out',
  libseccomp2: 'another compiler of filters of system calls',
  microsocks: 'a SOCKS proxy',
  mount: 'mounts /proc for the steps of tsbuild; the smallest of Debians lack it',
  'openssh-client': 'ssh-add and ssh-keygen: other readers of keys and users of agents',
  iptables: 'rules of a firewall, as dockerd makes them',
  nftables: 'nft: another reader of the rules of networks',
  openssl: 'makes certificates for registries that speak https',
  passt: "pasta: another network of tsbuild's sandbox",
  podman: 'an engine that images are loaded into, and that tsbuild runs in',
  python3: 'another reader and writer of tar',
  'python3-yaml': 'reads the recipes of docs/ci.md',
  runc: 'runs what was built',
  skopeo: 'reads and copies what was built, independently',
  slirp4netns: "the network of tsbuild's sandbox",
  strace: 'lists the calls of a build',
  tinyproxy: 'an http proxy',
  uidmap: 'newuidmap: builds as an ordinary user',
  umoci: 'unpacks what was built, independently',
  'xz-utils': 'another writer of xz',
  zstd: 'another reader and writer of zstd',
}

/** Those that `npm run test:guest` uses. */
const GUEST_PACKAGES: Readonly<Record<string, string>> = {
  e2fsprogs: 'mke2fs: the disk of a virtual machine',
  mmdebstrap: "unpacks Debian's packages: what is on the disk",
  'qemu-system-x86': 'the virtual machine',
  secilc: 'compiles a policy of SELinux',
}

/** What packages are installed for. */
export type PackageUse = 'image' | 'test' | 'guest'

const PACKAGES: Readonly<Record<PackageUse, Readonly<Record<string, string>>>> = {
  image: IMAGE_PACKAGES,
  test: { ...IMAGE_PACKAGES, ...TEST_PACKAGES },
  guest: GUEST_PACKAGES,
}

/** The names of the packages. */
export function packagesFor(use: PackageUse): readonly string[] {
  return Object.keys(PACKAGES[use])
}

/** The packages that are not installed, sorted. */
async function missingPackages(use: PackageUse): Promise<string[]> {
  const wanted = packagesFor(use)
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholders
  const { stdout } = await capture('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n'])
  const lines = new Set(stdout.split('\n'))
  return wanted.filter((name) => !lines.has(`${name} installed`)).sort()
}

/**
 * Installs what is missing with apt-get. Does nothing, quickly, when all is there.
 * @throws {Error} with the command to run when something is missing and this is not root
 */
export async function ensurePackages(use: PackageUse = 'test'): Promise<void> {
  const missing = await missingPackages(use)
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
