/** One thing that builds need or would profit from, whether this machine has it, and what to do where it has not. */
export type { SandboxCheck as HostCheck } from '#builder/sandbox'
