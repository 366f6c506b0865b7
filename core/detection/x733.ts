import type { Cause, PlacedAlarm } from './disturbance.ts'

export type PerceivedSeverity = PlacedAlarm['severity']

/** What an alarm says went wrong, in the words of the standard; `number` is IANA's, null for a word that no standard has. */
interface ProbableCause {
  readonly number: number | null
  readonly name: string
  /** Which of our causes it speaks for; null when it speaks for nothing here. */
  readonly suggests: Cause | null
}

/**
 * X.733 8.1.2.3 in any writing, and by ITU-ALARM-TC-MIB's numbers (RFC 3877). The words behind them are those of
 * Prometheus' world, where severity is free text.
 */
const severities: Readonly<Record<string, PerceivedSeverity | 'cleared'>> = {
  critical: 'critical', major: 'major', minor: 'minor', warning: 'warning', indeterminate: 'indeterminate', cleared: 'cleared',
  1: 'cleared', 2: 'indeterminate', 3: 'critical', 4: 'major', 5: 'minor', 6: 'warning',
  clear: 'cleared', resolved: 'cleared', normal: 'cleared', ok: 'cleared',
  page: 'critical', emergency: 'critical', fatal: 'critical', disaster: 'critical', error: 'major', high: 'major', medium: 'minor', average: 'minor', low: 'warning', warn: 'warning',
  info: 'indeterminate', informational: 'indeterminate', notice: 'indeterminate', none: 'indeterminate', unknown: 'indeterminate',
}

/** X.733 8.1.1 and X.736 by IANA's numbers (IANAItuEventType, from 1), in the words of TMF642 and 3GPP TS 32.111-2. */
const alarmTypes = [
  'other', 'communicationsAlarm', 'qualityOfServiceAlarm', 'processingErrorAlarm', 'equipmentAlarm', 'environmentalAlarm',
  'integrityViolation', 'operationalViolation', 'physicalViolation', 'securityServiceOrMechanismViolation', 'timeDomainViolation',
] as const
type AlarmType = (typeof alarmTypes)[number]

/**
 * IANAItuProbableCause (RFC 3877, revision of 2014), by what each speaks for. An operator's alarm never suggests
 * the election server or our intake: it cannot know. What may be power, weather or a line alike speaks for
 * nothing; nor does lost redundancy, which nobody notices yet.
 */
const suggestions: readonly (readonly [Cause | null, string])[] = [
  ['power', `powerProblem 58, batteryChargingFailure 72, powerSupplyFailure 78, batteryDischarging 104, batteryFailure 105, commercialPowerFailure 106, engineFailure 108,
    fuseFailure 110, generatorFailure 111, lowBatteryThreshold 112, rectifierFailure 114, rectifierHighVoltage 115, rectifierLowVoltage 116, rectifierLowFVoltage 116, lowFuel 127, powerProblems 533`],
  ['access', `callSetUpFailure 2, unavailable 14, broadcastChannelFailure 21, connectionEstablishmentError 22, receiverFailure 61, transmitterFailure 67, antennaFailure 71, frequencyHoppingFailure 74,
    transceiverFailure 80, tranceiverFailure 80, callEstablishmentError 503, receiverFailureX733 539, transmitterFailureX733 553, transmiterFailure 553, outOfService 612`],
  ['backhaul', `aIS 1, farEndReceiverFailure 4, lossOfFrame 6, lossOfPointer 7, lossOfSignal 8, transmissionError 10, remoteAlarmInterface 11, lossOfMultiFrame 16, receiveFailure 17, transmitFailure 18,
    localNodeTransmissionError 24, remoteNodeTransmissionError 25, lineCardProblem 55, multiplexerProblem 56, trunkCardProblem 68, localNodeTransmissionErrorX733 525, lossOfFrameX733 526, lossOfSignalX733 527,
    multiplexerProblemX733 529, receiveFailureX733 538, remoteNodeTransmissionErrorX733 540, transmitFailureX733 552, cableTamper 602`],
  ['core', 'routingFailure 26'],
  ['congestion', 'bandwidthReduced 201, congestion 202, systemResourcesOverload 207, bandwidthReducedX733 502, congestionX733 507, queueSizeExceeded 537, resourceAtOrNearingCapacity 541'],
  ['degradation', `degradedSignal 3, excessiveBER 12, signalQualityEvaluationFailure 79, excessiveErrorRate 203, excessiveResponseTime 204, excessiveRetransmissionRate 205, degradedSignalX733 511,
    performanceDegraded 532, responseTimeExcessive 542, responseTimeExecessive 542, retransmissionRateExcessive 543`],
  [null, `framingError 5, payloadTypeMismatch 9, pathTraceMismatch 13, signalLabelMismatch 15, modulationFailure 19, demodulationFailure 20, invalidMessageReceived 23, backplaneFailure 51, dataSetProblem 52,
    equipmentIdentifierDuplication 53, externalIFDeviceProblem 54, nEIdentifierDuplication 57, processorProblem 59, protectionPathFailure 60, replaceableUnitMissing 62, replaceableUnitTypeMismatch 63,
    synchronizationSourceMismatch 64, terminalProblem 65, timingProblem 66, replaceableUnitProblem 69, realTimeClockFailure 70, diskFailure 73, iODeviceError 75, lossOfSynchronisation 76, lossOfRedundancy 77,
    protectionMechanismFailure 81, protectingResourceFailure 82, airCompressorFailure 101, airConditioningFailure 102, airDryerFailure 103, coolingFanFailure 107, fireDetectorFailure 109, pumpFailure 113,
    ventilationsSystemFailure 117, enclosureDoorOpen 118, explosiveGas 119, fire 120, flood 121, highHumidity 122, highTemperature 123, highWind 124, iceBuildUp 125, intrusionDetection 126, lowHumidity 128,
    lowCablePressure 129, lowTemperature 130, lowTemperatue 130, lowWater 131, smoke 132, toxicGas 133, coolingSystemFailure 134, externalEquipmentFailure 135, externalPointFailure 136, storageCapacityProblem 151,
    memoryMismatch 152, corruptData 153, outOfCPUCycles 154, sfwrEnvironmentProblem 155, sfwrDownloadFailure 156, lossOfRealTime 157, lossOfRealTimel 157, applicationSubsystemFailure 158,
    configurationOrCustomisationError 159, databaseInconsistency 160, fileError 161, outOfMemory 162, softwareError 163, timeoutExpired 164, underlayingResourceUnavailable 165, versionMismatch 166,
    reducedLoggingCapability 206, adapterError 500, applicationSubsystemFailureX733 501, applicationSubsystemFailture 501, communicationsProtocolError 504, communicationsSubsystemFailure 505,
    configurationOrCustomizationError 506, corruptDataX733 508, coruptData 508, cpuCyclesLimitExceeded 509, dataSetOrModemError 510, dteDceInterfaceError 512, enclosureDoorOpenX733 513, equipmentMalfunction 514,
    excessiveVibration 515, fileErrorX733 516, fireDetected 517, framingErrorX733 518, heatingVentCoolingSystemProblem 519, humidityUnacceptable 520, inputOutputDeviceError 521, inputDeviceError 522, lanError 523,
    leakDetected 524, materialSupplyExhausted 528, outOfMemoryX733 530, outputDeviceError 531, ouputDeviceError 531, pressureUnacceptable 534, processorProblems 535, pumpFailureX733 536, softwareErrorX733 544,
    softwareProgramAbnormallyTerminated 545, softwareProgramError 546, storageCapacityProblemX733 547, temperatureUnacceptable 548, thresholdCrossed 549, timingProblemX733 550, toxicLeakDetected 551,
    underlyingResourceUnavailable 554, versionMismatchX733 555, authenticationFailure 600, breachOfConfidentiality 601, delayedInformation 603, denialOfService 604, duplicateInformation 605,
    informationMissing 606, informationModificationDetected 607, informationOutOfSequence 608, keyExpired 609, nonRepudiationFailure 610, outOfHoursActivity 611, proceduralError 613,
    unauthorizedAccessAttempt 614, unexpectedInformation 615, other 1024`],
]

/** Our own words for a cause, which a label may use: an operator who knows that it is the power need not look up a number. */
const ownWords: readonly Cause[] = ['power', 'access', 'backhaul', 'core', 'congestion', 'degradation']

/** One writing for all: `loss-of-signal`, `Loss Of Signal` and `LOSS_OF_SIGNAL` are lossOfSignal. */
const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '')
/** A number stands alone: "-5" is none, and "Cause 5" is a name. */
const numberOf = (text: string): number | null => (/^\s*[0-9]{1,4}\s*$/.test(text) ? Number(text) : null)

const byName = new Map<string, ProbableCause>()
const byNumber = new Map<number, ProbableCause>()
for (const [suggests, list] of suggestions)
  for (const entry of list.split(',')) {
    const [name = '', digits] = entry.trim().split(' ')
    const number = Number(digits)
    // a number's first name is its right spelling; the others are slips of the published list
    const cause: ProbableCause = byNumber.get(number) ?? { number, name, suggests }
    byNumber.set(number, cause)
    byName.set(plain(name), cause)
  }
for (const word of ownWords) if (!byName.has(word)) byName.set(word, { number: null, name: word, suggests: word })

/**
 * An X.733 perceived severity in any case or writing, or its number of RFC 3877 (1 cleared, 2 indeterminate,
 * 3 critical, 4 major, 5 minor, 6 warning).
 * @returns null for a word that is none
 */
export function readSeverity(text: string): PerceivedSeverity | 'cleared' | null {
  const word = String(numberOf(text) ?? plain(text.replace(/[0-9]/g, ' ')))
  return Object.hasOwn(severities, word) ? (severities[word] ?? null) : null
}

/**
 * A probable cause by its name (camel case, words, RFC 8632's hyphens, with or without X733 behind it), by its
 * IANA number, or by one of our own words.
 * @returns null for a word that no standard has: it is kept as it is, and speaks for nothing
 */
export function readProbableCause(text: string): ProbableCause | null {
  const number = numberOf(text)
  if (number !== null) return byNumber.get(number) ?? null
  const word = plain(text)
  return byName.get(word) ?? byName.get(word.replace(/x733$/, '')) ?? byName.get(`${word}x733`) ?? null
}

/** An alarm type of X.733 or X.736, by name with or without "alarm" behind it, or by IANA's number; null for anything else. */
export function readAlarmType(text: string): AlarmType | null {
  const number = numberOf(text)
  if (number !== null) return alarmTypes[number - 1] ?? null
  const word = plain(text)
  return alarmTypes.find((type) => plain(type) === word || plain(type) === `${word}alarm` || plain(type).replace(/^communications/, 'communication') === word) ?? null
}
