/* pcsc_client.py in C, where there is a compiler:
   pcsc_client transmit READER APDU COUNT   sends the APDU COUNT times; prints seconds
   pcsc_client watch READER COUNT           prints COUNT times when a change of the reader woke it, CLOCK_MONOTONIC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <winscard.h>

static void check(LONG code, const char *call)
{
	if (code) { fprintf(stderr, "%s: %08lX\n", call, code & 0xFFFFFFFF); exit(1); }
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void transmit(SCARDCONTEXT context, const char *reader, const char *hex, long count)
{
	SCARDHANDLE card;
	DWORD protocol, length = 0, apdu_length = strlen(hex) / 2;
	BYTE apdu[300], answer[65538];
	for (DWORD i = 0; i < apdu_length; i++) sscanf(hex + 2 * i, "%2hhx", apdu + i);
	check(SCardConnect(context, reader, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T1, &card, &protocol), "SCardConnect");
	double started = now();
	for (long i = 0; i < count; i++) {
		length = sizeof answer;
		check(SCardTransmit(card, SCARD_PCI_T1, apdu, apdu_length, NULL, answer, &length), "SCardTransmit");
	}
	printf("%.9f\n", now() - started);
	if (length < 2 || answer[length - 2] != 0x90) exit(2);
	check(SCardDisconnect(card, SCARD_LEAVE_CARD), "SCardDisconnect");
}

static void watch(SCARDCONTEXT context, const char *reader, long count)
{
	SCARD_READERSTATE state = {.szReader = reader};
	for (long i = -1; i < count; i++) { /* the first only says what is there now */
		check(SCardGetStatusChange(context, INFINITE, &state, 1), "SCardGetStatusChange");
		double woken = now();
		state.dwCurrentState = state.dwEventState & ~SCARD_STATE_CHANGED;
		if (i >= 0) printf("%.9f\n", woken);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	SCARDCONTEXT context;
	if (argc < 4) return 2;
	check(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context), "SCardEstablishContext");
	if (!strcmp(argv[1], "watch")) watch(context, argv[2], atol(argv[3]));
	else transmit(context, argv[2], argv[3], atol(argv[4]));
	check(SCardReleaseContext(context), "SCardReleaseContext");
	return 0;
}
