/**
 * jq's date functions without a C library. UTC everywhere; local time is UTC too unless the caller names an IANA zone,
 * so that a mapping gives the same answer on every machine. The C locale only.
 */
export { DateError, gmtime, timegm } from './calendar.ts';
export { strflocaltime, strftime } from './format.ts';
export { strptime } from './parse.ts';
export { localtime } from './zone.ts';
