# Escalator in Znuny's pages (Znuny 6.5): the ticket menu's "Acknowledge escalation", the dashboard's list of escalations
# that nobody has taken, and its fields in the ticket, the overviews and the search. Copy it to Kernel/Config/Files/ in Znuny's
# home; no restart is needed. The dynamic fields must be there first.
package Kernel::Config::Files::ZZZEscalator;
use strict;
use warnings;
use utf8;

sub Load {
    my ( $File, $Self ) = @_;

    # Znuny's own free fields screen, with the checkbox already ticked. The link ticks it, since the field's default only
    # counts until the field has been cleared for the first time. On any other screen it would be ticked by accident.
    $Self->{'Ticket::Frontend::AgentTicketFreeText'}->{DynamicField}->{EscalationAcknowledged} = 1;
    $Self->{'Ticket::Frontend::MenuModule'}->{'090-AcknowledgeEscalation'} = {
        Module      => 'Kernel::Output::HTML::TicketMenu::Generic',
        Action      => 'AgentTicketFreeText',
        Name        => 'Acknowledge escalation',
        Description => 'Say that you have this ticket: the escalation stops',
        Link        => 'Action=AgentTicketFreeText;TicketID=[% Data.TicketID | uri %]'
            . ';DynamicField_EscalationAcknowledged=1;DynamicField_EscalationAcknowledgedUsed=1',
        PopupType => 'TicketAction',
        Target    => '',
    };

    $Self->{DashboardBackend}->{'0115-EscalationRunning'} = {
        Module         => 'Kernel::Output::HTML::Dashboard::TicketGeneric',
        Block          => 'ContentLarge',
        Title          => 'Escalations',
        Description    => 'Tickets whose escalation nobody has taken: it is running, or nobody came',
        Attributes     => 'DynamicField_EscalationStatus_Equals=running;DynamicField_EscalationStatus_Equals=exhausted;',
        Filter         => 'All',
        Time           => 'Age',
        Limit          => 20,
        Permission     => 'ro',
        Group          => '',
        Default        => 1,
        CacheTTLLocal  => '0.1',
        DefaultColumns => { map { $_ => 2 } qw(Age TicketNumber Title Priority Owner DynamicField_EscalationStatus DynamicField_EscalationStep) },
    };

    for my $Screen (qw(AgentTicketZoom AgentTicketSearch OverviewSmall OverviewMedium OverviewPreview AgentTicketStatusView)) {
        my $Shown = $Self->{"Ticket::Frontend::$Screen"}->{DynamicField} //= {};
        $Shown->{$_} = 1 for qw(EscalationStatus EscalationPlan EscalationStep);
    }
    return 1;
}

1;
