/** Names that people type. */
import { z } from "zod";

/** Names of flows, tasks, pools and limits: one line that can be typed. */
export const nameSchema: z.ZodType<string> = z
  .string()
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/,
    "must be at most 100 letters, digits, _ . and -, not beginning with . or -",
  );
