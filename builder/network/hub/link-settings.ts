import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** Settings of links in the network namespace of the calling thread. Spec: the kernel's ip-sysctl.rst */

/** A switch below /proc/sys/net. */
export type Setting = `ipv${4 | 6}/conf/${string}`

/** Whether a link (or `all`) forwards packets of version 4 that come in by it. */
export function forwardsVersion4(link: string): Setting {
  return `ipv4/conf/${link}/forwarding`
}

/** The same of version 6: for all links at once. */
export const FORWARDS_VERSION6: Setting = 'ipv6/conf/all/forwarding'

/** The same for one link, whatever holds for all (Linux 6.17). */
export function forwardsVersion6(link: string): Setting {
  return `ipv6/conf/${link}/force_forwarding`
}

/** Whether the kernel has a setting. */
export function hasSetting(setting: Setting): boolean {
  return existsSync(pathOf(setting))
}

/** Whether a setting is on. */
export function isOn(setting: Setting): boolean {
  return readFileSync(pathOf(setting), 'latin1').trim() !== '0'
}

/** Switches a setting; one that is so already is not written, which may be forbidden. */
export function switchSetting(setting: Setting, state: 'on' | 'off'): void {
  if (isOn(setting) !== (state === 'on')) writeFileSync(pathOf(setting), state === 'on' ? '1' : '0')
}

/** Lets packets between the ports of one bridge pass without the rules for those that are forwarded. */
export function keepBridgesBare(): void {
  for (const kind of ['iptables', 'ip6tables', 'arptables']) {
    const path = `/proc/sys/net/bridge/bridge-nf-call-${kind}`
    if (existsSync(path)) writeFileSync(path, '0')
  }
}

function pathOf(setting: Setting): string {
  return `/proc/sys/net/${setting}`
}
