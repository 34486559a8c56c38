/**
 * Usage error: the arguments of a command are invalid. The command line shows how to get help, and exits with 2.
 */
export class UsageError extends Error {}
