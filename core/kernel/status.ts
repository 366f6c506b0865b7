/** The five statuses, worst last but for `unknown`, which is a status of its own and never good. */
export const statuses = ['ok', 'watch', 'degraded', 'down', 'unknown'] as const
export type Status = (typeof statuses)[number]
