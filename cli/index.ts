export type { Command } from './command.ts'
export { COMMANDS } from './commands.ts'
export { commandHelp, programHelp } from './help.ts'
export { main } from './main.ts'
