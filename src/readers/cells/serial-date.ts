/** Serial numbers of days, as spreadsheets store dates → ISO text without a zone. */

/** What a number format shows of a serial number. */
export type DateParts = "date" | "time" | "datetime";

const dayMs = 86_400_000;
/** 9999-12-31, the last day that spreadsheets know. */
const lastDay1900 = 2_958_465;
/** Days between the beginnings of the two date systems: 1904-01-01 is serial 1462 of the other. */
const days1904 = 1462;
/** Serial 60 of the 1900 system is 29 February 1900, a day that never was, kept for Lotus 1-2-3's sake. */
const leapDayThatNeverWas = 60;
/** 1899-12-30 before 1970-01-01: what serials after the leap day are counted from. */
const epochDays = 25_569;

/**
 * Writes a serial number as a date, a time, or both.
 *
 * Times are rounded to the millisecond: a double holds a day of our century to less than a microsecond, and cutting off
 * instead of rounding makes 12:34:56.842 of 12:34:56.843. A date format hides a time of day but the file has it, so it
 * is told. A number below 1 is a time of no day.
 *
 * @param is1904 - date system of the workbook (`date1904`).
 * @returns naive ISO: `2018-01-31`, `2018-01-31T10:30:00`, `10:30:00.5` with as many decimals as it takes;
 *   `undefined` where the calendar has no such day: negative, after the year 9999, or 29 February 1900.
 */
export function serialToIso(serial: number, parts: DateParts, is1904: boolean): string | undefined {
  if (!(serial >= 0)) return undefined;
  let days = Math.floor(serial);
  let ms = Math.round((serial - days) * dayMs);
  if (ms === dayMs) {
    days += 1;
    ms = 0;
  }
  if (days === 0 && !is1904) {
    // Day 0 of the 1900 system is "1900-01-00": only its time means something.
    return parts === "date" && ms === 0 ? undefined : timeOf(ms);
  }
  if (is1904 && days === 0 && (parts === "time" || (parts === "datetime" && ms > 0))) return timeOf(ms);
  const day = is1904 ? days + days1904 : days;
  if (day > lastDay1900 || day === leapDayThatNeverWas) return undefined;
  const date = dateOf((day < leapDayThatNeverWas ? day + 1 : day) - epochDays);
  return parts === "date" && ms === 0 ? date : `${date}T${timeOf(ms)}`;
}

/** ISO text of a day → its serial number in the 1900 system; `undefined`: not such a text. Strict workbooks store these. */
export function isoToSerial(iso: string, is1904: boolean): number | undefined {
  const match = /^(?:(\d{4}-\d\d-\d\d)(?:T|$))?(?:(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?)?Z?$/.exec(iso);
  if (match === null || iso === "") return undefined;
  const [, day, hours = "0", minutes = "0", seconds = "0"] = match;
  const time = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) / 86_400;
  if (day === undefined) return time;
  const dayTime = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(dayTime)) return undefined;
  const days = dayTime / dayMs + epochDays;
  return (is1904 ? days - days1904 : days <= leapDayThatNeverWas ? days - 1 : days) + time;
}

const two = (value: number): string => (value < 10 ? `0${value}` : String(value));

function timeOf(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const whole = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const rest = ms % 1000;
  return rest === 0 ? whole : `${whole}.${String(rest).padStart(3, "0").replace(/0+$/, "")}`;
}

/** Days since 1970-01-01 → ISO date. Eras of 400 years from 1 March, so that a leap day ends its year. */
function dateOf(sinceEpoch: number): string {
  const shifted = sinceEpoch + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
}
