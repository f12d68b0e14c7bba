/** Asks before something is done that cannot be taken back. */
import { type ReactElement, type ReactNode, useState } from "react";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { tellFailure } from "./toast.tsx";

export type ConfirmDialogProps = Readonly<{
  isOpen: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  /** What the button says: the deed, with its number, such as `Retry 12 runs`. */
  deed: string;
  isDanger?: boolean;
  isDisabled?: boolean;
  /** The dialog closes when it is done, and stays where it fails. */
  onConfirm: () => Promise<void>;
}>;

export function ConfirmDialog(props: ConfirmDialogProps): ReactElement {
  const { isOpen, onClose, title, children, deed, isDanger, isDisabled, onConfirm } = props;
  const [isBusy, setBusy] = useState(false);
  const confirm = async (): Promise<void> => {
    setBusy(true);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      tellFailure(`${deed} failed`, error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title={title}
      actions={
        <>
          <Button onClick={onClose}>Leave it</Button>
          <Button
            look={isDanger ? "danger" : "primary"}
            disabled={isBusy || isDisabled}
            onClick={() => void confirm()}
          >
            {deed}
          </Button>
        </>
      }
    >
      {children}
    </Dialog>
  );
}
