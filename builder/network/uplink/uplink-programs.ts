import { closeSync, constants, existsSync, openSync } from 'node:fs'

/** Where a network is connected that a program makes: inside, the gateway stands for the world. */
export interface UplinkAddresses {
  /** The first three numbers of a network with 24 bits. */
  readonly network: string
  /** IPv6: the first 64 bits, as text that `::` follows. */
  readonly network6: string
}

/** Descriptors of such a program: the namespace, and where it says that it is ready. */
const NAMESPACE = 0
const READY = 3
/** The link that it makes in the namespace. */
const UPLINK_NAME = 'tap0'

/** A program that connects a network namespace to the world and needs no rights for it. */
export interface UplinkProgram {
  readonly name: string
  /** The package of distributions that has it. */
  readonly packageName: string
  /** What its standard output is. */
  readonly output: 'ready' | 'nothing'
  readonly args: (addresses: UplinkAddresses) => readonly string[]
}

/**
 * It closes all descriptors but the standard ones. It has no switch that says when it is ready, but writes
 * its pid then. Without `--no-map-gw` the gateway would be the host's loopback; without the four that follow,
 * ports of the namespace would be those of the host, and the other way round.
 */
const PASTA: UplinkProgram = {
  name: 'pasta',
  packageName: 'passt',
  output: 'ready',
  args: ({ network, network6 }) => [
    ...['--foreground', '--quiet', '--config-net', '--no-map-gw'],
    ...['-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none'],
    ...['--ns-ifname', UPLINK_NAME],
    ...['-a', `${network}.100`, '-n', '24', '-g', `${network}.2`],
    ...['-a', `${network6}::100`, '-g', `${network6}::2`],
    ...['--pid', '/proc/self/fd/1', '--netns', `/proc/self/fd/${NAMESPACE}`],
  ],
}

/** Its IPv6 is experimental, and comes seconds after it says that it is ready. */
const SLIRP4NETNS: UplinkProgram = {
  name: 'slirp4netns',
  packageName: 'slirp4netns',
  output: 'nothing',
  args: ({ network }) => [
    ...['--configure', '--mtu=65520', `--cidr=${network}.0/24`],
    ...['--disable-host-loopback', '--disable-dns', '--enable-sandbox'],
    ...[`--ready-fd=${READY}`, '--netns-type=path', `/proc/self/fd/${NAMESPACE}`, UPLINK_NAME],
  ],
}

/** All that are known, the better first. */
export const UPLINK_PROGRAMS: readonly UplinkProgram[] = [PASTA, SLIRP4NETNS]

const FOLDERS: readonly string[] = ['/usr/bin', '/usr/local/bin', '/bin']

/** Where a program is installed, if it is. */
export function findUplinkProgram({ name }: UplinkProgram): string | undefined {
  return FOLDERS.map((folder) => `${folder}/${name}`).find((path) => existsSync(path))
}

/** Whether this user may make tunnels, which every such program does. */
export function canMakeTunnels(): boolean {
  try {
    // Opened: the devices of a container are limited by more than their modes.
    closeSync(openSync(TUNNELS, constants.O_RDWR))
    return true
  } catch {
    return false
  }
}

const TUNNELS = '/dev/net/tun'
