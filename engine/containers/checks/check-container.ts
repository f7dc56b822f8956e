import type { Healthcheck } from '#core'
import { type Config, capabilitiesOf, type HostConfig } from '#engine/model'
import { checkLimits, refuse } from './check-limits.ts'
import { checkModes } from './check-modes.ts'
import { parseSecurityOptions } from './security-options.ts'

const RUNTIMES = ['', 'runc', 'io.containerd.runc.v2']
const POLICIES = ['', 'no', 'always', 'on-failure', 'unless-stopped']

/**
 * Says what is wrong with a request for a container before anything is made, in docker's words.
 * @param config as it was asked for
 * @throws {TsbuildError} USAGE
 */
export function checkContainer(config: Config, hostConfig: HostConfig): void {
  checkConfig(config)
  checkLimits(hostConfig)
  checkModes(config, hostConfig)
  checkRestarts(hostConfig)
  parseSecurityOptions(hostConfig.SecurityOpt ?? [])
  capabilitiesOf(hostConfig)
  const { Runtime = '', Isolation = '', ExtraHosts = [], DeviceRequests = [] } = hostConfig
  refuse(!RUNTIMES.includes(Runtime), `unknown or invalid runtime name: ${Runtime}`)
  refuse(!['', 'default'].includes(Isolation), `invalid isolation '${Isolation}' on linux`)
  refuse(DeviceRequests.length > 0, 'could not select device driver "" with capabilities: [[gpu]]')
  for (const entry of ExtraHosts) {
    refuse(!/^[^:=]+[:=].+$/.test(entry), `bad format for add-host: ${JSON.stringify(entry)}`)
  }
}

function checkConfig({ WorkingDir = '', Env = [], Healthcheck: test, StopTimeout }: Config): void {
  refuse(
    WorkingDir !== '' && !WorkingDir.startsWith('/'),
    `the working directory '${WorkingDir}' is invalid, it needs to be an absolute path`,
  )
  for (const entry of Env) {
    refuse(entry === '' || entry.startsWith('='), `invalid environment variable: ${entry}`)
    refuse(entry.includes('\0'), 'invalid environment variable: it has a null byte')
  }
  refuse(StopTimeout !== undefined && StopTimeout < -1, 'stop timeout must be -1 or more')
  if (test !== undefined) checkHealth(test)
}

const MILLISECOND = 1e6

function checkHealth(test: Healthcheck): void {
  for (const name of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const) {
    const value = test[name] ?? 0
    refuse(value !== 0 && value < MILLISECOND, `${name} in Healthcheck cannot be less than 1ms`)
  }
  refuse((test.Retries ?? 0) < 0, 'Retries in Healthcheck cannot be negative')
}

function checkRestarts({ RestartPolicy = {}, AutoRemove }: HostConfig): void {
  const { Name = '', MaximumRetryCount = 0 } = RestartPolicy
  const wrong = 'invalid restart policy:'
  refuse(
    !POLICIES.includes(Name),
    `${wrong} unknown policy '${Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
  )
  refuse(
    MaximumRetryCount > 0 && Name !== 'on-failure',
    `${wrong} maximum retry count can only be used with 'on-failure'`,
  )
  refuse(MaximumRetryCount < 0, `${wrong} maximum retry count cannot be negative`)
  refuse(
    AutoRemove === true && Name !== '' && Name !== 'no',
    "can't create 'AutoRemove' container with restart policy",
  )
}
