/* The address behind the END of a connect or an accept, as its extra words: by it the two ends of
 * a connection find each other. Only of Internet sockets; IPv4 is told as IPv6 tells it. */
#ifndef REEL_EVENT_ADDRESS_H
#define REEL_EVENT_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

/* Words: port and whose address it is, upper half, lower half, in the host's order. */
#define REEL_ADDRESS_WORDS 3u
#define REEL_ADDRESS_PORT  0xffffu
#define REEL_ADDRESS_OWN   (1u << 16) /* of the socket that connects */
#define REEL_ADDRESS_PEER  (1u << 17) /* of the one that connected to the accepted socket */

static inline uint64_t reel_address_half(const unsigned char *bytes)
{
    uint64_t half = 0;
    for (unsigned i = 0; i < 8; i++)
        half = half << 8 | bytes[i];
    return half;
}

/* False for an address of another family. */
static inline bool reel_address_words(const struct sockaddr_storage *address, uint32_t whose,
                                      uint64_t words[REEL_ADDRESS_WORDS])
{
    unsigned char bytes[16] = {[10] = 0xff, [11] = 0xff};
    uint16_t port;
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        memcpy(bytes + 12, &four->sin_addr, 4);
        port = ntohs(four->sin_port);
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
        memcpy(bytes, &six->sin6_addr, 16);
        port = ntohs(six->sin6_port);
    } else {
        return false;
    }
    words[0] = whose | port;
    words[1] = reel_address_half(bytes);
    words[2] = reel_address_half(bytes + 8);
    return true;
}

#endif
