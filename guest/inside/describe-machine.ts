import { existsSync, readFileSync } from 'node:fs'
import { arch, release, type } from 'node:os'

/** A line on what the suites run on, for their log. */
export function describeMachine(): string {
  const seconds = readFileSync('/proc/uptime', 'utf8').split(' ')[0]
  const controllers = readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').trim()
  const confinement = existsSync('/sys/kernel/security/apparmor') ? 'AppArmor' : 'no AppArmor'
  const first = readFileSync('/proc/1/comm', 'utf8').trim()
  return [
    `${type()} ${release()} ${arch()} with ${first} as pid 1, ${confinement}`,
    `control groups of the second version: ${controllers}`,
    `ready ${seconds} s after the start of the kernel`,
  ].join('\n')
}
