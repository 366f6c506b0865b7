import type { FastifyRequest } from 'fastify'
import { ProblemError } from '../problem.ts'
import { readDeviceToken, type Device } from './enrolment.ts'

/** The device that asks, by its bearer token. @throws ProblemError device_unknown */
export function deviceOf(request: FastifyRequest, secret: Buffer): Device {
  const device = readDeviceToken(secret, request.headers.authorization?.replace(/^Bearer /, '') ?? '')
  if (device === null) throw new ProblemError('device_unknown', 'Enrol this device with the code of its station: POST /v1/devices.')
  return device
}
