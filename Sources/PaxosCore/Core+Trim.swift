internal import CPaxos

/// What may be forgotten: what the host has applied and no live member still lacks.
extension Core {
    func trim(_ slot: UInt64) -> Status {
        if slot > r.pointee.delivered { return PAXOS_ERR_RANGE }
        if slot > r.pointee.host_trim { r.pointee.host_trim = slot }
        applyTrim()
        return PAXOS_OK
    }

    func applyTrim() {
        if isLeader || memberCount == 1 { updateStable() }
        let slot = min(r.pointee.host_trim, a.pointee.stable)
        if slot > a.pointee.trimmed { _ = paxos_acceptor_trim(a, slot) }
    }

    /// Up to where every member that is waited for has decided: live ones always, silent ones while
    /// they are less than half a window behind.
    private func updateStable() {
        var stable = a.pointee.decided
        let half = UInt64(a.pointee.window_slots &>> 1)
        for member in 0..<memberCount where member != selfIndex {
            let decided = peer(member).pointee.decided
            let isAlive = r.pointee.alive & (1 &<< member) != 0
            if decided < stable && (isAlive || a.pointee.decided &- decided <= half) {
                stable = decided
            }
        }
        if stable > a.pointee.stable { a.pointee.stable = stable }
    }
}
