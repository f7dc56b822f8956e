/** What both sides of the guest know. */

/** Folders of this machine that the guest sees, by the names of their devices. */
export const SHARES = ['repository', 'npm', 'peers'] as const
export type Share = (typeof SHARES)[number]

/** Serial ports of the guest: what its suites write, and the number that they end with. */
export const PORTS = { output: 'tsbuild.output', status: 'tsbuild.status' } as const

/** The ordinary user of the guest, who has a systemd of his own from the start. */
export const USER = 'builder'

/** On the guest's kernel command line: which files to run, with commas between them. */
export const FILES_OPTION = 'tsbuild.files'
