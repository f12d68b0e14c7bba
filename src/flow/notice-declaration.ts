/** Who is told of what: webhooks, chats of Slack's shape, and e-mail. */
import { z } from "zod";

/** What is told: a run failed, the first that succeeded after a failure, a run that is late. */
export type NoticeOccasion = "failure" | "recovery" | "late";

/** Where a notice goes. Addresses and credentials are references such as `env:SLACK_URL`: a project holds no secret. */
export type NoticeTarget = Readonly<
  | {
      to: "webhook";
      /** Gets a POST of JSON: occasion, deployment, run, error. */
      url: string;
      /** Sent as `Authorization: Bearer …`. */
      token?: string;
    }
  | {
      /** An incoming webhook that takes `{ "text": … }`: Slack, Mattermost, Google Chat, Discord's `/slack`. */
      to: "slack";
      url: string;
    }
  | {
      to: "mail";
      /** `smtps://user:password@host:465`, by reference. */
      smtp: string;
      from: string;
      recipients: readonly string[];
    }
>;

/** One notice: on these occasions, to that target. */
export type NoticeDeclaration = NoticeTarget &
  Readonly<{
    /** Default: all three. */
    on?: readonly NoticeOccasion[];
  }>;

const referenceSchema = z
  .string()
  .regex(/^(env|file|gcp-secret):/, "must be a reference such as env:SLACK_URL, not the value itself");

const occasions = {
  on: z
    .array(z.enum(["failure", "recovery", "late"]))
    .min(1)
    .optional(),
};
const addressSchema = z.string().regex(/^[^\s@]+@[^\s@]+$|^.+<[^\s@]+@[^\s@]+>$/, "is no e-mail address");

const noticeSchema = z.discriminatedUnion("to", [
  z.strictObject({
    to: z.literal("webhook"),
    url: referenceSchema,
    token: referenceSchema.optional(),
    ...occasions,
  }),
  z.strictObject({ to: z.literal("slack"), url: referenceSchema, ...occasions }),
  z.strictObject({
    to: z.literal("mail"),
    smtp: referenceSchema,
    from: addressSchema,
    recipients: z.array(addressSchema).min(1, "must name at least one address").max(100),
    ...occasions,
  }),
]);

/** Notices of one deployment. */
export const noticesSchema: z.ZodType<readonly NoticeDeclaration[], unknown> = z
  .array(noticeSchema)
  .max(20)
  .default([])
  // Optional members that zod types as possibly undefined are absent then.
  .transform((notices) => notices as readonly NoticeDeclaration[]);
