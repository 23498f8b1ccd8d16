import java.util.HexFormat;
import java.util.List;
import javax.smartcardio.Card;
import javax.smartcardio.CardChannel;
import javax.smartcardio.CardException;
import javax.smartcardio.CardTerminal;
import javax.smartcardio.CardTerminals;
import javax.smartcardio.CommandAPDU;
import javax.smartcardio.ResponseAPDU;
import javax.smartcardio.TerminalFactory;

/** What a Java program does with a smart card, under `vsc run`: the card called "work" comes and goes meanwhile. */
public class Client {
    private static final CommandAPDU SELECT =
        new CommandAPDU(0x00, 0xA4, 0x04, 0x00, HexFormat.of().parseHex("a000000397425446590201"), 256);
    private static final long LONG_MS = 60_000;

    public static void main(String[] arguments) throws Exception {
        CardTerminals terminals = TerminalFactory.getInstance("PC/SC", null).terminals();
        say("terminals", names(terminals.list()));
        CardTerminal terminal = terminals.getTerminal(arguments[0]);
        say("present", terminal.isCardPresent());

        Card card = terminal.connect("*");
        say("atr", HexFormat.of().formatHex(card.getATR().getBytes()));
        say("protocol", card.getProtocol());
        CardChannel channel = card.getBasicChannel();
        ResponseAPDU answer = channel.transmit(SELECT);
        say("select", Integer.toHexString(answer.getSW()));
        card.beginExclusive();
        say("exclusive", Integer.toHexString(channel.transmit(SELECT).getSW()));
        card.endExclusive();

        // One object knows the state that it saw last, so no change is lost between two waits.
        say("no change", terminals.waitForChange(1));
        Process eject = vsc("eject");
        say("change", terminals.waitForChange(LONG_MS));
        say("removed", names(terminals.list(CardTerminals.State.CARD_REMOVAL)));
        end(eject);
        try {
            channel.transmit(SELECT);
            say("after removal", "answered");
        } catch (CardException refused) {
            say("after removal", refused.getCause().getMessage());
        }
        card.disconnect(false);
        Process insert = vsc("insert");
        say("change", terminals.waitForChange(LONG_MS));
        say("inserted", names(terminals.list(CardTerminals.State.CARD_INSERTION)));
        end(insert);

        say("absent", terminal.waitForCardAbsent(1));
        eject = vsc("eject");
        say("absent", terminal.waitForCardAbsent(LONG_MS));
        end(eject);
        say("present", terminal.waitForCardPresent(1));
        insert = vsc("insert");
        say("present", terminal.waitForCardPresent(LONG_MS));
        end(insert);

        card = terminal.connect("T=1");
        say("select", Integer.toHexString(card.getBasicChannel().transmit(SELECT).getSW()));
        card.disconnect(true);
    }

    private static Process vsc(String verb) throws Exception {
        return new ProcessBuilder("vsc", verb, "work").redirectErrorStream(true).start();
    }

    private static void end(Process process) throws Exception {
        String said = new String(process.getInputStream().readAllBytes());
        if (process.waitFor() != 0) {
            throw new IllegalStateException(said);
        }
    }

    private static String names(List<CardTerminal> terminals) {
        return String.join(",", terminals.stream().map(CardTerminal::getName).toList());
    }

    private static void say(String what, Object value) {
        System.out.println(what + ": " + value);
    }
}
