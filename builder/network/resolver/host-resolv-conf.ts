import { readFileSync } from 'node:fs'
import { errnoOf, ioError } from '#core'
import { HOST_RESOLV_CONF, parseResolvConf } from './resolv-conf.ts'

/** Where systemd-resolved lists the servers behind its own. */
const RESOLVED_FILE = '/run/systemd/resolve/resolv.conf'
/** Where its own listens. */
const STUB = '127.0.0.53'

/** The resolver settings of the host, past the stub of systemd-resolved. */
export function readHostResolvConf(): string {
  const text = readIfThere(HOST_RESOLV_CONF)
  const { servers, refused } = parseResolvConf(text)
  const isStub = servers.length === 1 && servers[0] === STUB && refused.length === 0
  return isStub ? readIfThere(RESOLVED_FILE) || text : text
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return ''
    throw ioError(`read ${path}`, cause)
  }
}
