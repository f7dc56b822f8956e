import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BindMount } from '#core'
import { type ContainerRecord, hostnameOf } from '#engine/model'

/** What a container's network says of names. */
export interface NamedNetwork {
  hosts(): string
  resolvConf(): string
}

/** The files that are mounted in /etc of a container. They are written in place: a mount shows the file itself. */
export interface EtcPaths {
  readonly hosts: string
  readonly hostname: string
  readonly resolvConf: string
}

/** In the folder of a container. */
export function etcPaths(folder: string): EtcPaths {
  return {
    hosts: join(folder, 'hosts'),
    hostname: join(folder, 'hostname'),
    resolvConf: join(folder, 'resolv.conf'),
  }
}

/** Writes them for a container that starts. @throws the failure of the system */
export function writeEtcFiles(
  folder: string,
  { id, config }: ContainerRecord,
  network: NamedNetwork,
): void {
  const paths = etcPaths(folder)
  writeFileSync(paths.hosts, network.hosts(), READABLE)
  writeFileSync(paths.resolvConf, network.resolvConf(), READABLE)
  writeFileSync(paths.hostname, `${hostnameOf(id, config)}\n`, READABLE)
}

/** Writes what has changed with the networks of a container that runs. */
export function updateNames(folder: string, network: NamedNetwork): void {
  const paths = etcPaths(folder)
  writeFileSync(paths.hosts, network.hosts(), READABLE)
  writeFileSync(paths.resolvConf, network.resolvConf(), READABLE)
}

const READABLE = { mode: 0o644 } as const

/** As a sandbox mounts them. */
export function etcMounts(paths: EtcPaths): readonly BindMount[] {
  const files = [
    ['/etc/resolv.conf', paths.resolvConf],
    ['/etc/hostname', paths.hostname],
    ['/etc/hosts', paths.hosts],
  ] as const
  return files.map(([target, source]) => ({ type: 'bind', target, source, readonly: false }))
}
