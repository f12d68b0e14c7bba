/** A labelled field with what is wrong with it: said below, and to those who do not see it. */
import { type ComponentProps, type ReactElement, type ReactNode, useId } from "react";

export const fieldClass =
  "h-7 rounded-control border border-control bg-panel px-2 text-body text-text placeholder:text-muted disabled:opacity-60 aria-invalid:border-failed";

export type FieldProps = Readonly<{
  label: string;
  about?: ReactNode;
  fault?: string | undefined;
  isRequired?: boolean;
  /** Makes the control from what it must carry. */
  children: (
    control: Readonly<{ id: string; "aria-describedby"?: string; "aria-invalid"?: true }>,
  ) => ReactNode;
}>;

export function Field({ label, about, fault, isRequired, children }: FieldProps): ReactElement {
  const id = useId();
  const describedBy = [about !== undefined && `${id}-about`, fault !== undefined && `${id}-fault`]
    .filter(Boolean)
    .join(" ");
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="font-semibold [overflow-wrap:anywhere]">
        {label}
        {isRequired && <span className="ml-1 text-meta font-normal text-muted">required</span>}
      </label>
      {children({
        id,
        ...(describedBy !== "" && { "aria-describedby": describedBy }),
        ...(fault !== undefined && { "aria-invalid": true }),
      })}
      {about !== undefined && (
        <p id={`${id}-about`} className="text-meta text-muted">
          {about}
        </p>
      )}
      {fault !== undefined && (
        <p id={`${id}-fault`} className="text-meta text-failed">
          ✕ {fault}
        </p>
      )}
    </div>
  );
}

export function TextField(
  props: Omit<FieldProps, "children"> & Omit<ComponentProps<"input">, "children" | "id" | "about">,
): ReactElement {
  const { label, about, fault, isRequired, className, ...input } = props;
  return (
    <Field label={label} about={about} fault={fault} isRequired={isRequired ?? false}>
      {(control) => <input {...control} {...input} className={`${fieldClass} ${className ?? ""}`} />}
    </Field>
  );
}
