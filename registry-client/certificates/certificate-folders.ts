import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, ioError, TsbuildError } from '#core'
import type { Environment, HostCertificates } from '#http'
import { userSettings } from '../user-settings.ts'

/** Where docker and podman look for certificates of registries; a user's own folders come first. */
export function certificateFolders(environment: Environment): readonly string[] {
  const config = userSettings(environment)
  const own = config === undefined ? [] : [join(config, 'docker'), join(config, 'containers')]
  return [...own, '/etc/docker', '/etc/containers'].map((folder) => join(folder, 'certs.d'))
}

/**
 * What folders like `/etc/docker/certs.d` have for a host in `HOST[:PORT]`: every `*.crt`, and every `*.cert` with
 * the `*.key` of its name. Spec: docker's certificates, containers-certs.d(5)
 * @param host of a URL: without the port that its protocol has anyway
 * @throws {TsbuildError} CONFIG_INVALID for a certificate without its key, PERMISSION_DENIED
 */
export function certificatesIn(folders: readonly string[], host: string): HostCertificates {
  const names = /:\d+$/.test(host) ? [host] : [host, `${host}:443`]
  const all = folders.flatMap((folder) => names.map((name) => readFolder(join(folder, name))))
  return {
    authorities: all.flatMap(({ authorities }) => authorities),
    clients: all.flatMap(({ clients }) => clients),
  }
}

function readFolder(folder: string): HostCertificates {
  const names = namesIn(folder)
  const read = (name: string): string => readPem(join(folder, name))
  const clients = names.filter((name) => name.endsWith('.cert'))
  return {
    authorities: names.filter((name) => name.endsWith('.crt')).map(read),
    clients: clients.map((name) => {
      const key = name.replace(/cert$/, 'key')
      if (names.includes(key)) return { cert: read(name), key: read(key) }
      throw new TsbuildError(`${join(folder, name)} has no ${key} beside it`, {
        code: 'CONFIG_INVALID',
        hint: `put its key there; an authority is a file whose name ends in .crt`,
      })
    }),
  }
}

/** A file in PEM. @throws {TsbuildError} CONFIG_INVALID, IO_FAILED, PERMISSION_DENIED, NOT_FOUND */
export function readPem(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'latin1')
  } catch (cause) {
    throw ioError(`read ${file}`, cause)
  }
  if (text.includes('-----BEGIN ')) return text
  throw new TsbuildError(`${file} is not a certificate in PEM`, {
    code: 'CONFIG_INVALID',
    hint: 'convert it: openssl x509 -inform DER -in FILE -out FILE.crt',
  })
}

/** A folder that this user may not look into is the business of others, as in a container with another user's home. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoOf(cause) ?? '')) return []
    throw ioError(`list ${folder}`, cause)
  }
}
