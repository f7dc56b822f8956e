import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '#http'
import { userSettings } from '../user-settings.ts'
import { namesIn, readSettings } from './settings-files.ts'

/** Containerd's folder with a folder for each registry. */
export const CONTAINERD = '/etc/containerd/certs.d'

/**
 * Whether the machine's or the user's settings can name a mirror: what reads them is loaded only then. Packages of
 * podman and skopeo bring files in which everything is a comment.
 */
export function hasMirrorSettings(environment: Environment): boolean {
  if (existsSync(CONTAINERD)) return true
  const mentions = (path: string, word: RegExp): boolean => word.test(readSettings(path) ?? '')
  return (
    daemonFiles(environment).some((path) => mentions(path, /registry-mirrors/)) ||
    registriesFiles(environment).some((path) => mentions(path, /^\s*\[\[\s*registry\s*\]\]/m))
  )
}

/** Every file and folder of other programs that can name a mirror. */
export function mirrorSettingsFiles(environment: Environment): readonly string[] {
  return [...registriesFiles(environment), CONTAINERD, ...daemonFiles(environment)]
}

/** Docker's `daemon.json`, the user's first. */
export function daemonFiles(environment: Environment): readonly string[] {
  const folder = userSettings(environment)
  const own = folder === undefined ? [] : [join(folder, 'docker', 'daemon.json')]
  return [...own, '/etc/docker/daemon.json']
}

/** Containers' `registries.conf`, the user's or else the machine's, and all files that are added to it. */
export function registriesFiles(environment: Environment): readonly string[] {
  const { CONTAINERS_REGISTRIES_CONF: named } = environment
  if (named) return [named]
  const folder = userSettings(environment)
  const own = folder === undefined ? [] : [join(folder, 'containers')]
  const main = [...own, '/etc/containers']
    .map((one) => join(one, 'registries.conf'))
    .find((path) => existsSync(path))
  const parts = ['/etc/containers', ...own].flatMap((one) => {
    const directory = join(one, 'registries.conf.d')
    const names = namesIn(directory).filter((part) => part.endsWith('.conf'))
    return names.map((part) => join(directory, part))
  })
  return [...(main === undefined ? [] : [main]), ...parts]
}
