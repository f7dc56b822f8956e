/**
 * Says as JSON what a process learns of namespaces, after it has entered a user namespace if it lacks
 * rights. With arguments a filter is in force that refuses these system calls; `none`: none of them.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { isUserNamespace, lacksRights } from '#builder/linux'
import { missingNamespacesError, reexecInUserNamespace } from '#builder/namespaces'
import type { SyscallName } from '../../../../builder/linux/system/syscalls.ts'
import { refuseCalls } from '../../../suites/sandbox/refuse-calls.ts'

const names = process.argv.slice(2)
if (names.length > 0) refuseCalls(names.filter((name) => name !== 'none') as SyscallName[])
const lacked = process.env.LACKED ?? `${lacksRights()}`
reexecInUserNamespace({ env: { ...process.env, LACKED: lacked } })
console.log(
  JSON.stringify({
    lacked: lacked === 'true',
    lacks: lacksRights(),
    error: missingNamespacesError()?.message,
    map: readFileSync('/proc/self/uid_map', 'latin1').trim().replace(/ +/g, ' '),
    namespace: readlinkSync('/proc/self/ns/user'),
    isUserNamespace: isUserNamespace(),
  }),
)
