import { closeSync, constants, openSync } from 'node:fs'
import { findHostProgram } from '#disk'
import { OUT } from '../hub/hub-rules.ts'

/** What a program gives its link in a namespace: each of version 4 first, then of version 6, if there is one. */
export interface UplinkAddresses {
  readonly own: readonly string[]
  /** What stands for the world. */
  readonly gateway: readonly string[]
}

/** Descriptors of such a program: the namespace, and where it says that it is ready. */
const NAMESPACE = 0
const READY = 3
/** A program that connects a network namespace to the world and needs no rights for it. */
export interface UplinkProgram {
  readonly name: string
  /** Whether it connects addresses of version 6, too. */
  readonly version6: boolean
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
  version6: true,
  output: 'ready',
  args: ({ own, gateway }) => [
    ...['--foreground', '--quiet', '--config-net', '--no-map-gw'],
    ...['-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none'],
    ...['--ns-ifname', OUT],
    ...[...own.flatMap((address) => ['-a', address]), '-n', '24'],
    ...[...gateway.flatMap((address) => ['-g', address]), own.length > 1 ? [] : '-4'].flat(),
    ...['--pid', '/proc/self/fd/1', '--netns', `/proc/self/fd/${NAMESPACE}`],
  ],
}

/** Its version 6 has one network, fd00::/64, whatever the host has there. */
const SLIRP4NETNS: UplinkProgram = {
  name: 'slirp4netns',
  version6: false,
  output: 'nothing',
  args: ({ gateway: [first = ''] }) => [
    ...['--configure', '--mtu=65520', `--cidr=${first.replace(/\d+$/, '0/24')}`],
    ...['--disable-host-loopback', '--disable-dns', '--enable-sandbox'],
    ...[`--ready-fd=${READY}`, '--netns-type=path', `/proc/self/fd/${NAMESPACE}`, OUT],
  ],
}

/** All that are known. The faster is last: of Debian 12, it loses the end of connections that are half closed (ADR 69). */
const UPLINK_PROGRAMS: readonly UplinkProgram[] = [SLIRP4NETNS, PASTA]

/** A program that is there. */
export interface InstalledProgram extends UplinkProgram {
  readonly path: string
}

/** The programs that are installed, in the order in which they are tried. */
export function installedPrograms(): readonly InstalledProgram[] {
  return UPLINK_PROGRAMS.flatMap((program) => {
    const path = findHostProgram(program.name)
    return path === undefined ? [] : [{ ...program, path }]
  })
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
