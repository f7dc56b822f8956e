import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { hasSingleId, isUserNamespace, lacksRights } from '#builder/linux'
import { hasSubordinateIds } from '#builder/namespaces'
import { missingUplinkError } from '#builder/network'
import { MORE_IDS, TsbuildError } from '#core'
import { removeTree } from '#disk'
import { run } from './spec/run.ts'
import { inProcessSandbox } from './threads/in-process.ts'

/** One thing that steps need or would profit from. */
export interface SandboxCheck {
  readonly subject: string
  /** `limited`: steps run, but not everything works. */
  readonly state: 'ok' | 'limited' | 'missing'
  readonly detail: string
  /** What to do about it. */
  readonly hint?: string | undefined
}

/**
 * Says what this host lacks for running steps, by looking and then by trying: the last entry is the
 * result of a step that is prepared completely and then has no program to run.
 * @param temporary a directory to work in; nothing is left in it
 */
export async function checkSandbox(temporary: string): Promise<readonly SandboxCheck[]> {
  const checks = [checkMachine(), checkOverlay(), checkIds(), checkNetwork()]
  if (checks.some((check) => check.state === 'missing')) return checks
  return [...checks, await tryStep(temporary)]
}

function checkMachine(): SandboxCheck {
  const machine = `${process.platform}/${process.arch}`
  const known = machine === 'linux/x64' || machine === 'linux/arm64'
  if (known) return { subject: 'machine', state: 'ok', detail: machine }
  const hint = 'run builds on Linux, on x86-64 or ARM64'
  return { subject: 'machine', state: 'missing', detail: `${machine} is not supported`, hint }
}

/** It may also be a module that is loaded when it is first used. */
function checkOverlay(): SandboxCheck {
  const subject = 'overlayfs'
  if (/\boverlay$/m.test(readFileSync('/proc/filesystems', 'latin1'))) {
    return { subject, state: 'ok', detail: 'the kernel has it' }
  }
  const hint = 'load it: modprobe overlay'
  return { subject, state: 'limited', detail: 'the kernel has not loaded it', hint }
}

function checkIds(): SandboxCheck {
  const hasRange = process.geteuid?.() === 0 ? !hasSingleId() : hasSubordinateIds()
  if (hasRange) return { subject: 'user ids', state: 'ok', detail: 'all that images use' }
  return {
    subject: 'user ids',
    state: 'limited',
    detail: 'only one, so steps that become other users fail',
    hint: MORE_IDS,
  }
}

function checkNetwork(): SandboxCheck {
  const subject = 'network'
  const missing = isUserNamespace() || lacksRights() ? missingUplinkError() : undefined
  if (missing === undefined) return { subject, state: 'ok', detail: 'steps have their own' }
  const detail = `steps share that of the host: ${missing.message}`
  return { subject, state: 'limited', detail, hint: missing.hint }
}

/** The program of the trial step, which does not exist. */
const NO_PROGRAM = '/no-such-program'

async function tryStep(temporary: string): Promise<SandboxCheck> {
  const subject = 'trial step'
  const directory = mkdtempSync(`${temporary}/check-`)
  const notices: TsbuildError[] = []
  try {
    for (const name of ['lower', 'upper', 'work']) mkdirSync(`${directory}/${name}`)
    await using sandbox = inProcessSandbox({
      temporary: directory,
      onNotice: (notice) => notices.push(notice),
    })
    const lower = [`${directory}/lower`]
    const writable = { upper: `${directory}/upper`, work: `${directory}/work` }
    await run(
      sandbox,
      {
        args: [NO_PROGRAM],
        env: [],
        cwd: '/',
        user: '',
        hostname: 'check',
        network: 'none',
        extraHosts: [],
        shmSize: 1024 * 1024,
        security: 'sandbox',
        init: true,
        ulimits: [],
        resources: {},
        mounts: [{ type: 'overlay', target: '/', lower, writable }],
      },
      { onOutput: () => undefined },
    )
    return { subject, state: 'missing', detail: 'it ran a program that does not exist' }
  } catch (cause) {
    if (!(cause instanceof TsbuildError)) throw cause
    if (cause.code === 'STEP_FAILED' && cause.message.includes(NO_PROGRAM)) {
      const [first] = notices
      if (first !== undefined) {
        return { subject, state: 'limited', detail: first.message, hint: first.hint }
      }
      return { subject, state: 'ok', detail: 'namespaces, mounts and rights work' }
    }
    return { subject, state: 'missing', detail: cause.message, hint: cause.hint }
  } finally {
    await removeTree(directory)
  }
}
