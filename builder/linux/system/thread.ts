import { Buffer } from 'node:buffer'
import { SystemError, syscall, trySyscall } from './syscalls.ts'

/** Sets the umask of the calling thread, when it has a working directory of its own. */
export function setUmask(mask: number): void {
  syscall('umask', [mask])
}

/** Changes the working directory of the calling thread, when it has one of its own. */
export function enterDirectory(descriptor: number): void {
  syscall('fchdir', [descriptor], 'working directory')
}

/** Sets the host name of the calling thread's UTS namespace. @returns false where a filter refuses that */
export function setHostname(name: string): boolean {
  const bytes = Buffer.from(name, 'utf8')
  const result = trySyscall('sethostname', [bytes, bytes.length])
  if (result < 0 && result !== -EPERM) throw new SystemError(-result, 'sethostname', name)
  return result >= 0
}

/** Sets the NIS domain name of the calling thread's UTS namespace. @throws {SystemError} */
export function setDomainname(name: string): void {
  const bytes = Buffer.from(name, 'utf8')
  syscall('setdomainname', [bytes, bytes.length], name)
}

const EPERM = 1
